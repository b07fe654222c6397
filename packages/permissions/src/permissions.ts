import { v1 } from '@authzed/authzed-node';
import { type PermissionsConfig, permissionsConfig } from './config.ts';
import { connect } from './connection.ts';
import { invalidArgument } from './errors.ts';
import * as messages from './messages.ts';
import * as requests from './requests.ts';
import { isNotFound } from './server-errors.ts';
import type { Permissions, Written } from './types.ts';

export interface PermissionsOptions {
  /** Milliseconds after which one call to the server is given up; 10,000 by default. */
  timeout?: number;
  /** The server's `--write-relationships-max-updates-per-call`, and its limits of lists and deletes; 1,000 by default. */
  mostPerCall?: number;
}

/**
 * A client of SpiceDB, for as long as the program runs. It connects with the first call, so that a program can start
 * before its server; `ping` tells whether it is there.
 *
 * @throws PermissionsError `invalidArgument` that names the variable that is wrong, never its value
 */
export function createPermissions(config: PermissionsConfig, options: PermissionsOptions = {}): Permissions {
  const { timeout = 10_000, mostPerCall = 1_000 } = options;
  const server = connect(requests.accept(permissionsConfig, config), timeout);

  const permissions: Permissions = {
    async write(request, options) {
      const { updates, preconditions = [] } = requests.accept(requests.writeRequest, request);
      if (updates.length > mostPerCall) refuseIfItMustBeAtomic(updates, preconditions, mostPerCall);
      const optionalPreconditions = preconditions.map(messages.toPrecondition);
      let written: Written = { token: '' };
      for (let from = 0; from < updates.length; from += mostPerCall) {
        const chunk = updates.slice(from, from + mostPerCall).map(messages.toUpdate);
        const call = v1.WriteRelationshipsRequest.create({ updates: chunk, optionalPreconditions });
        const { writtenAt } = await server.unary((client) => client.writeRelationships, call, options);
        written = tokenOf(writtenAt);
      }
      return written;
    },

    async delete(request, options) {
      const { filter, preconditions = [] } = requests.accept(requests.deleteRequest, request);
      const call = v1.DeleteRelationshipsRequest.create({
        relationshipFilter: messages.toFilter(filter),
        optionalPreconditions: preconditions.map(messages.toPrecondition),
        optionalLimit: mostPerCall,
        // A precondition has to hold for all of it, and one that was true of the first part may not be of the second.
        optionalAllowPartialDeletions: preconditions.length === 0,
      });
      for (;;) {
        const reply = await server.unary((client) => client.deleteRelationships, call, options);
        const { PARTIAL } = v1.DeleteRelationshipsResponse_DeletionProgress;
        if (reply.deletionProgress !== PARTIAL) return tokenOf(reply.deletedAt);
      }
    },

    async check(request, options) {
      const { resource, permission, subject, consistency } = requests.accept(requests.checkRequest, request);
      const call = v1.CheckPermissionRequest.create({
        resource: messages.toObject(resource),
        permission,
        subject: messages.toSubject(subject),
        consistency: messages.toConsistency(consistency),
      });
      const reply = await server.unary((client) => client.checkPermission, call, options);
      const allowed = reply.permissionship === v1.CheckPermissionResponse_Permissionship.HAS_PERMISSION;
      return { allowed, ...tokenOf(reply.checkedAt) };
    },

    async *resources(request, options) {
      const { type, permission, subject, consistency } = requests.accept(requests.resourcesRequest, request);
      const call = v1.LookupResourcesRequest.create({
        resourceObjectType: type,
        permission,
        subject: messages.toSubject(subject),
        consistency: messages.toConsistency(consistency),
        optionalLimit: mostPerCall,
      });
      for await (const page of pages((next) => server.page((client) => client.lookupResources, next, options), call)) {
        for (const { resourceObjectId, permissionship } of page) {
          if (permissionship === v1.LookupPermissionship.HAS_PERMISSION) yield resourceObjectId;
        }
      }
    },

    async *relationships(request, options) {
      const { filter, consistency } = requests.accept(requests.relationshipsRequest, request);
      const call = v1.ReadRelationshipsRequest.create({
        relationshipFilter: messages.toFilter(filter),
        consistency: messages.toConsistency(consistency),
        optionalLimit: mostPerCall,
      });
      for await (const page of pages(
        (next) => server.page((client) => client.readRelationships, next, options),
        call,
      )) {
        for (const { relationship } of page) if (relationship) yield messages.fromRelationship(relationship);
      }
    },

    async writeSchema(schema, options) {
      await server.unary((client) => client.writeSchema, v1.WriteSchemaRequest.create({ schema }), options);
    },

    async readSchema(options) {
      try {
        const { schemaText } = await server.unary(
          (client) => client.readSchema,
          v1.ReadSchemaRequest.create(),
          options,
        );
        return schemaText;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async ping(options) {
      await permissions.readSchema(options);
    },

    close: () => server.close(),
  };
  return permissions;
}

/** Page after page, all of the snapshot that the first one was read from: the cursor names it. */
async function* pages<Call extends { optionalLimit: number }, Item extends { afterResultCursor?: v1.Cursor }>(
  read: (call: Call & { optionalCursor?: v1.Cursor }) => Promise<Item[]>,
  call: Call,
): AsyncIterable<Item[]> {
  let optionalCursor: v1.Cursor | undefined;
  do {
    const page = await read({ ...call, optionalCursor });
    yield page;
    optionalCursor = page.length < call.optionalLimit ? undefined : page.at(-1)?.afterResultCursor;
  } while (optionalCursor !== undefined);
}

function refuseIfItMustBeAtomic(updates: { operation: string }[], preconditions: unknown[], mostPerCall: number): void {
  const reason = `more than ${mostPerCall} are written in several calls, of which the first may succeed and the next not`;
  if (preconditions.length > 0)
    throw invalidArgument(`preconditions: must not be used with so many updates: ${reason}`);
  if (updates.every(({ operation }) => operation !== 'create')) return;
  throw invalidArgument(`updates: must be touch or delete, so that they can be repeated: ${reason}`);
}

const tokenOf = (zedToken: v1.ZedToken | undefined): Written => ({ token: zedToken?.token ?? '' });
