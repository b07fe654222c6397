import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { v1 } from '@authzed/authzed-node';
import { ensureProgram, freePorts } from '@repo/dev-stack';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { permissions } from '../src/contract.ts';

const app = new URL('..', import.meta.url);
const file = new URL('schema-validation.yaml', app);

type Answer = { id?: number; method?: string; params?: { diagnostics?: { message: string }[] }; error?: unknown };

/** What SpiceDB itself says of a validation file (as if it had this text): errors, warnings and assertions that do not hold. */
async function diagnosticsOf(text: string): Promise<{ message: string }[]> {
  const { path } = await ensureProgram('spicedb');
  // Its language server is the one command that runs assertions. It speaks JSON-RPC on its standard streams.
  const server = spawn(path, ['lsp', '--skip-release-check', '--log-level', 'error'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const uri = file.href;
  const say = (message: object) => {
    const json = JSON.stringify({ jsonrpc: '2.0', ...message });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
  };
  try {
    return await new Promise((resolve, reject) => {
      let received = '';
      server.once('exit', () => reject(new Error('spicedb lsp ended without an answer')));
      server.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        received += chunk;
        for (;;) {
          const head = /^(?:.*\r\n)*?Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n/i.exec(received);
          const end = head ? head[0].length + Number(head[1]) : Number.POSITIVE_INFINITY;
          if (!head || received.length < end) return;
          answer(JSON.parse(received.slice(head[0].length, end)));
          received = received.slice(end);
        }
      });
      const answer = ({ id, method, params, error }: Answer) => {
        if (error) reject(new Error(JSON.stringify(error)));
        else if (id === 1) {
          say({ method: 'initialized', params: {} });
          const textDocument = { uri, languageId: 'yaml', version: 1, text };
          say({ method: 'textDocument/didOpen', params: { textDocument } });
        } else if (method === 'textDocument/publishDiagnostics') resolve(params?.diagnostics ?? []);
      };
      // A client that cannot ask for diagnostics is sent them. To ask would be a race: the server answers messages side
      // by side, a question about a file perhaps before it has opened the file.
      say({ id: 1, method: 'initialize', params: { processId: process.pid, rootUri: app.href, capabilities: {} } });
    });
  } finally {
    server.kill();
    await ended;
  }
}

describe('schema.zed', () => {
  it('grants what schema-validation.yaml says, and nothing that it denies', async () => {
    expect(await diagnosticsOf(await readFile(file, 'utf8'))).toEqual([]);
  });

  it('is really checked: assertions that are wrong are found', async () => {
    const text = await readFile(file, 'utf8');
    const wrong = text
      .replace('- post:first#view@user:bob\n', '- post:first#view@user:mallory\n')
      .replace('- post:first#edit@user:carol\n', '- post:first#edit@user:bob\n');
    const messages = (await diagnosticsOf(wrong)).map(({ message }) => message);
    expect(messages).toEqual([
      expect.stringContaining('post:first#view@user:mallory'),
      expect.stringContaining('post:first#edit@user:bob'),
    ]);
  });

  it('gives each permission to whom schema-validation.yaml expects, by the relation that it expects', async () => {
    const { relationships, validation } = parse(await readFile(file, 'utf8')) as {
      relationships: string;
      validation: Record<string, string[]>;
    };
    const found = await expandedBySpiceDb(relationships.split('\n'), Object.keys(validation));
    expect(found).toEqual(validation);
    // What is expected of one permission is expected of every one that the schema has.
    expect(Object.keys(validation)).toEqual(
      ['first', 'second', 'deleted'].flatMap((post) => permissions.map((permission) => `post:${post}#${permission}`)),
    );
  });
});

/** What a SpiceDB with the schema and these relationships makes of permissions: `[user:bob] is <post:first#author>`. */
async function expandedBySpiceDb(relationships: string[], names: string[]): Promise<Record<string, string[]>> {
  const { path } = await ensureProgram('spicedb');
  const [port = 0] = await freePorts(1);
  // Keeps what it is told in memory, and asks for no key.
  const flags = ['--grpc-addr', `127.0.0.1:${port}`, '--readonly-grpc-enabled=false', '--http-enabled=false'];
  const server = spawn(path, ['serve-testing', ...flags, '--skip-release-check'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const { promises: client } = v1.NewClient(
    'any',
    `127.0.0.1:${port}`,
    v1.ClientSecurity.INSECURE_PLAINTEXT_CREDENTIALS,
  );
  try {
    const schema = await readFile(new URL('schema.zed', app), 'utf8');
    await vi.waitFor(() => client.writeSchema(v1.WriteSchemaRequest.create({ schema })), { timeout: 20_000 });
    const touch = v1.RelationshipUpdate_Operation.TOUCH;
    const updates = relationships.map((text) => ({ operation: touch, relationship: relationshipOf(text) }));
    await client.writeRelationships(v1.WriteRelationshipsRequest.create({ updates }));
    const expanded = names.map(async (name) => {
      const [object = '', permission = ''] = name.split('#');
      const consistency = { requirement: { oneofKind: 'fullyConsistent' as const, fullyConsistent: true } };
      const request = { resource: objectOf(object), permission, consistency };
      const { treeRoot } = await client.expandPermissionTree(v1.ExpandPermissionTreeRequest.create(request));
      return [name, leavesOf(treeRoot)] as const;
    });
    return Object.fromEntries(await Promise.all(expanded));
  } finally {
    client.close();
    server.kill();
    await ended;
  }
}

const objectOf = (text: string) => {
  const [objectType = '', objectId = ''] = text.split(':');
  return { objectType, objectId };
};

const relationshipOf = (text: string) => {
  const [resource = '', relation = '', subject = ''] = text.split(/[#@]/);
  return v1.Relationship.create({ resource: objectOf(resource), relation, subject: { object: objectOf(subject) } });
};

function leavesOf(tree: v1.PermissionRelationshipTree | undefined): string[] {
  if (tree?.treeType.oneofKind === 'intermediate') return tree.treeType.intermediate.children.flatMap(leavesOf);
  if (tree?.treeType.oneofKind !== 'leaf') return [];
  const { objectType, objectId } = tree.expandedObject ?? {};
  return tree.treeType.leaf.subjects.map(
    ({ object }) =>
      `[${object?.objectType}:${object?.objectId}] is <${objectType}:${objectId}#${tree.expandedRelation}>`,
  );
}
