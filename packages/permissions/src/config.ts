import { z } from 'zod';

/** `127.0.0.1:50051`, `spicedb.internal:443`, `[::1]:50051`. */
const endpointForm = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/;

/** From the environment. Everything that goes over a real network is encrypted, unless SPICEDB_TLS says `off`. */
export const permissionsConfig = z
  .object({
    SPICEDB_ENDPOINT: z.string().regex(endpointForm, 'must be host:port'),
    /** The preshared key. It goes into a header: one with a line break would be shown by the error about it. */
    SPICEDB_TOKEN: z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII characters without spaces'),
    /** Left out, it is `off` for a server on this machine without SPICEDB_CA_CERT, and `on` for any other. */
    SPICEDB_TLS: z.enum(['on', 'off'], 'must be on or off').optional(),
    /** Path of a PEM file with the authority to trust, in place of Node's own list. */
    SPICEDB_CA_CERT: z.string().optional(),
  })
  .refine(({ SPICEDB_CA_CERT, SPICEDB_TLS }) => SPICEDB_CA_CERT === undefined || SPICEDB_TLS !== 'off', {
    path: ['SPICEDB_CA_CERT'],
    error: 'has no meaning while SPICEDB_TLS is off',
  });

export type PermissionsConfig = z.infer<typeof permissionsConfig>;

/** Whether the endpoint is on this machine. */
export const isLoopback = (endpoint: string): boolean =>
  /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):\d+$/.test(endpoint);

export const usesTls = ({ SPICEDB_ENDPOINT, SPICEDB_TLS, SPICEDB_CA_CERT }: PermissionsConfig): boolean =>
  SPICEDB_TLS === undefined ? SPICEDB_CA_CERT !== undefined || !isLoopback(SPICEDB_ENDPOINT) : SPICEDB_TLS === 'on';
