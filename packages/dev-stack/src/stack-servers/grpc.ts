import { type ClientHttp2Session, connect } from 'node:http2';

// The daemon asks a few small questions. Loading a gRPC client for them would take longer than all its other work.

const workflowService = 'temporal.api.workflowservice.v1.WorkflowService';
const operatorService = 'temporal.api.operatorservice.v1.OperatorService';

/** Whether the Temporal server at `address` serves this namespace. */
export async function servesNamespace(address: string, namespace: string): Promise<boolean> {
  return (await call(address, `${workflowService}/DescribeNamespace`, field(1, Buffer.from(namespace)))) === 0;
}

/** Sets how long closed workflows of a namespace are kept. */
export async function setRetention(address: string, namespace: string, days: number): Promise<void> {
  const ttl = Buffer.concat([Buffer.from([1 << 3]), varint(days * 86_400)]);
  const config = field(1, ttl);
  const request = Buffer.concat([field(1, Buffer.from(namespace)), field(3, config)]);
  const status = await call(address, `${workflowService}/UpdateNamespace`, request);
  if (status !== 0) throw new Error(`the namespace's retention could not be set (gRPC status ${status})`);
}

/** Adds the search attributes, all of type Keyword, that the namespace does not have yet; the server leaves the others alone. */
export async function addKeywords(address: string, namespace: string, names: readonly string[]): Promise<void> {
  const keyword = Buffer.from([2 << 3, 2]);
  const entries = names.map((name) => field(1, Buffer.concat([field(1, Buffer.from(name)), keyword])));
  const request = Buffer.concat([...entries, field(2, Buffer.from(namespace))]);
  const status = await call(address, `${operatorService}/AddSearchAttributes`, request);
  if (status !== 0) throw new Error(`the search attributes could not be added (gRPC status ${status})`);
}

/** Whether the gRPC server at `address` says of itself that it serves. */
export async function serves(address: string): Promise<boolean> {
  const answer = Buffer.from([1 << 3, 1]);
  return (await call(address, 'grpc.health.v1.Health/Check', Buffer.alloc(0), answer)) === 0;
}

/**
 * Calls a method; resolves with the gRPC status, or undefined if there was no answer, or not the `expected` one.
 */
function call(address: string, method: string, message: Buffer, expected?: Buffer): Promise<number | undefined> {
  return new Promise((resolve) => {
    let session: ClientHttp2Session | undefined;
    const end = (status: number | undefined) => {
      clearTimeout(timer);
      session?.destroy();
      resolve(status);
    };
    const timer = setTimeout(() => end(undefined), 3000);
    session = connect(`http://${address}`);
    session.on('error', () => end(undefined));
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: number | undefined;
    const read = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', () => end(undefined));
    const received: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    stream.on('end', () => {
      // The first five bytes say how long the message is.
      const asExpected = !expected || Buffer.concat(received).subarray(5).equals(expected);
      end(asExpected ? status : undefined);
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return Buffer.from(bytes);
}
