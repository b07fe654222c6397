import { describe, expect, test } from 'vitest';
import { usesTls } from '../src/config.ts';
import { createPermissions, permissionsConfig, permissionsFailureTypes as types } from '../src/index.ts';

const key = { SPICEDB_TOKEN: 'a-key' };
const at = (SPICEDB_ENDPOINT: string, rest = {}) => permissionsConfig.parse({ SPICEDB_ENDPOINT, ...key, ...rest });

test.each([
  ['127.0.0.1:50051', {}, false],
  ['localhost:50051', {}, false],
  ['[::1]:50051', {}, false],
  ['127.0.0.1.example.com:50051', {}, true],
  ['localhost.example.com:50051', {}, true],
  ['10.0.0.7:50051', {}, true],
  ['spicedb.example.com:443', {}, true],
  ['spicedb.example.com:443', { SPICEDB_TLS: 'off' }, false],
  ['127.0.0.1:50051', { SPICEDB_TLS: 'on' }, true],
  ['127.0.0.1:50051', { SPICEDB_CA_CERT: '/ca.pem' }, true],
])('at %s with %j, TLS: %s', (endpoint, rest, expected) => {
  expect(usesTls(at(endpoint, rest))).toBe(expected);
});

describe('refused, by the name of the variable and never with its value', () => {
  const wrong: [string, Record<string, string>][] = [
    ['SPICEDB_ENDPOINT', { SPICEDB_ENDPOINT: 'http://127.0.0.1:50051' }],
    ['SPICEDB_ENDPOINT', { SPICEDB_ENDPOINT: '127.0.0.1' }],
    ['SPICEDB_ENDPOINT', { SPICEDB_ENDPOINT: 'user:hidden@spicedb.example.com:443' }],
    ['SPICEDB_TOKEN', { SPICEDB_TOKEN: '' }],
    ['SPICEDB_TOKEN', { SPICEDB_TOKEN: 'hidden\n' }],
    ['SPICEDB_TOKEN', { SPICEDB_TOKEN: 'hidden ключ' }],
    ['SPICEDB_TLS', { SPICEDB_TLS: 'hidden' }],
    ['SPICEDB_CA_CERT', { SPICEDB_CA_CERT: '/hidden.pem', SPICEDB_TLS: 'off' }],
    ['SPICEDB_CA_CERT', { SPICEDB_CA_CERT: '/hidden/no-such.pem' }],
  ];
  test.each(wrong)('%s: %j', (variable, change) => {
    const config = { SPICEDB_ENDPOINT: '127.0.0.1:50051', ...key, ...change };
    const create = () => createPermissions(config as Parameters<typeof createPermissions>[0]);
    expect(create).toThrow(expect.objectContaining({ type: types.invalidArgument }));
    expect(create).toThrow(new RegExp(`^${variable}: `));
    expect(create).not.toThrow(/hidden/);
  });
});
