import { PermissionsError } from './errors.ts';
import { type PermissionsFailureType, permissionsFailureTypes as types } from './failure-types.ts';

/** What a call of the gRPC client fails with. */
interface ServerError {
  /** A gRPC status code. */
  code: number;
  details: string;
  metadata?: { get(key: string): unknown[] };
}

/** SpiceDB's own reasons (authzed/api/v1/error_reason.proto) say more than the status code. */
const typesByReason: Record<string, PermissionsFailureType> = {
  WRITE_OR_DELETE_PRECONDITION_FAILURE: types.preconditionFailed,
  ATTEMPT_TO_RECREATE_RELATIONSHIP: types.alreadyExists,
  UNKNOWN_DEFINITION: types.schemaMissing,
  UNKNOWN_RELATION_OR_PERMISSION: types.schemaMissing,
  UNKNOWN_CAVEAT: types.schemaMissing,
  SCHEMA_TYPE_ERROR: types.invalidArgument,
  MAXIMUM_DEPTH_EXCEEDED: types.invalidArgument,
  INVALID_CURSOR: types.tokenUnusable,
};

/** gRPC status codes that are the same tomorrow. All others are worth another attempt. */
const typesByCode: Record<number, PermissionsFailureType> = {
  3: types.invalidArgument, // INVALID_ARGUMENT
  6: types.alreadyExists, // ALREADY_EXISTS
  7: types.unauthenticated, // PERMISSION_DENIED: a wrong key
  11: types.tokenUnusable, // OUT_OF_RANGE: a snapshot that is no longer kept
  16: types.unauthenticated, // UNAUTHENTICATED: no key
};

/**
 * A token that cannot be read, or is of another datastore on a server that was told to refuse these. SpiceDB has no
 * reason of its own for it: version 1.56 answers INVALID_ARGUMENT and INTERNAL.
 */
const tokenRefused = /^invalid revision requested|ZedToken specified references a different datastore/;

const longestDetails = 500; // characters; they may end in a workflow's history

/** gRPC's own ending of a message, where it has no note to add. */
const emptyNote = /\s*\.? Resolution note:\s*$/;

/** Anything that a call failed with, as an error whose `type` programs can branch on. */
export function toPermissionsError(error: unknown, endpoint: string): unknown {
  if (!isServerError(error)) return error;
  const details = error.details.replace(emptyNote, '').slice(0, longestDetails);
  const type = typeOf(error);
  return new PermissionsError(type, messages[type]?.(endpoint, details) ?? `SpiceDB: ${details}`, { cause: error });
}

/** Those that have something to add to what the server says. */
const messages: Partial<Record<PermissionsFailureType, (endpoint: string, details: string) => string>> = {
  [types.unauthenticated]: (endpoint, details) =>
    `SpiceDB at ${endpoint} refuses the key: SPICEDB_TOKEN is not the one that it was started with (${details})`,
  [types.unavailable]: (endpoint, details) => `SpiceDB at ${endpoint} cannot answer: ${details}${hint(details)}`,
  [types.schemaMissing]: (endpoint, details) => `The schema of SpiceDB at ${endpoint} does not fit: ${details}`,
};

function hint(details: string): string {
  // Node's words for a chain that ends at an authority it does not know.
  if (/certificate/.test(details)) {
    return ' (SPICEDB_CA_CERT is the file of an authority to trust in place of the usual ones)';
  }
  // OpenSSL's words for an answer in the clear.
  return /wrong version number/.test(details)
    ? ' (does that server speak TLS? SPICEDB_TLS=on and SPICEDB_CA_CERT are for one that does)'
    : '';
}

function typeOf(error: ServerError): PermissionsFailureType {
  if (tokenRefused.test(error.details)) return types.tokenUnusable;
  return typesByReason[reasonOf(error) ?? ''] ?? typesByCode[error.code] ?? types.unavailable;
}

/** The reason is one field of a protobuf message in a header; its name occurs in there only once, and as plain text. */
function reasonOf({ metadata }: ServerError): string | undefined {
  const [status] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(status instanceof Uint8Array)) return undefined;
  return /ERROR_REASON_([A-Z_]+)/.exec(Buffer.from(status).toString('latin1'))?.[1];
}

const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;

/** Whether the server answered that there is no such thing (gRPC NOT_FOUND). */
export const isNotFound = (error: unknown): boolean =>
  error instanceof PermissionsError && isServerError(error.cause) && error.cause.code === 5;
