import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import { callbackify } from 'node:util';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { mailFiles } from './read.ts';

/** What the inbox does wrong on purpose, until it is told otherwise or has done it `times` times. */
export interface InboxFault {
  /**
   * - `refuse`: refuses the recipient for good, with 550
   * - `busy`: puts the sender off, with 451
   * - `stall`: does not answer to RCPT, and takes nothing, until the fault is gone
   * - `lose-answer`: keeps the mail and cuts the connection instead of saying 250
   * - `hold-answer`: keeps the mail and says 250 only when the fault is gone
   */
  kind: 'refuse' | 'busy' | 'stall' | 'lose-answer' | 'hold-answer';
  /** Left out, it stays. */
  times?: number;
  /** Only mail for this address; left out, all mail. */
  to?: string;
}

export interface InboxOptions {
  /** Where each delivery becomes a file `00000001.eml`, `00000002.eml`, …; created if it is not there. One server for each. */
  folder: string;
  /** Left out, a free one. */
  port?: number;
  /** Of one mail; 1,000,000 by default. A larger one is refused with 552. */
  maxBytes?: number;
}

export interface Inbox {
  port: number;
  /** For SMTP_URL: `smtp://127.0.0.1:<port>`. */
  url: string;
  /** From now on, and instead of the one before; undefined mends everything, and gives the answers that were held. */
  setFault: (fault: InboxFault | undefined) => void;
  /** How many answers `stall` or `hold-answer` have held since the fault was set. */
  held: () => number;
  /** Cuts all connections and frees the port. The mails stay. */
  close: () => Promise<void>;
}

/**
 * A mail server on 127.0.0.1 that keeps what it is given, each delivery as a file, and passes nothing on. Whoever can reach the
 * port may deliver. A mail that was answered with 250 is a whole file; read them with `readInbox`.
 */
export async function startInbox({ folder, port = 0, maxBytes = 1_000_000 }: InboxOptions): Promise<Inbox> {
  await mkdir(folder, { recursive: true });
  let count = Number.parseInt((await mailFiles(folder)).at(-1) ?? '0', 10);
  const faults = createFaults();
  const sockets = new Map<number, Socket>();

  const keep = async (mail: Buffer, session: SMTPServerSession) => {
    const name = join(folder, `${String(++count).padStart(8, '0')}.eml`);
    const { mailFrom } = session.envelope;
    const trace = `Return-Path: <${mailFrom ? mailFrom.address : ''}>\r\nDelivered-To: ${addressee(session)}\r\n`;
    await writeFile(`${name}.part`, Buffer.concat([Buffer.from(trace), mail]));
    // A reader sees a whole mail or none.
    await rename(`${name}.part`, name);
  };

  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession) => {
    const mail = await readAtMost(stream, maxBytes);
    const fault = faults.take(addressee(session), 'lose-answer', 'hold-answer');
    await keep(mail, session);
    if (fault?.kind === 'lose-answer') {
      sockets.get(session.remotePort)?.destroy();
      throw reply(451, 'Cut');
    }
    if (fault) await faults.gone();
  };

  const admit = async (address: string) => {
    const fault = faults.take(asSent(address), 'refuse', 'busy', 'stall');
    if (fault?.kind === 'refuse') throw reply(550, 'No such mailbox');
    if (fault?.kind === 'busy') throw reply(451, 'Try again later');
    if (fault?.kind === 'stall') await faults.gone();
  };

  const smtp = new SMTPServer({
    name: 'inbox.localhost',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    maxRecipients: 1,
    size: maxBytes,
    closeTimeout: 1,
    onRcptTo: ({ address }, _session, done) => callbackify(admit)(address, done),
    onData: (stream, session, done) => callbackify(receive)(stream, session, done),
  });
  // A client that goes away in the middle of a mail is none of this process's errors.
  smtp.on('error', () => {});
  smtp.server.on('connection', (socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  const listening = smtp.listen(port, '127.0.0.1');
  await once(listening, 'listening');
  const { port: bound } = listening.address() as AddressInfo;

  return {
    port: bound,
    url: `smtp://127.0.0.1:${bound}`,
    setFault: faults.set,
    held: faults.held,
    close: async () => {
      const closed = new Promise<void>((resolve) => smtp.close(() => resolve()));
      for (const socket of sockets.values()) socket.destroy();
      await closed;
      faults.set(undefined);
    },
  };
}

/** As it was sent: smtp-server makes letters of `xn--…`. */
function asSent(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at + 1)}${domainToASCII(address.slice(at + 1))}`;
}

const addressee = ({ envelope }: SMTPServerSession): string => asSent(envelope.rcptTo[0]?.address ?? '');

function createFaults() {
  let current: InboxFault | undefined;
  let left = 0;
  let release = () => {};
  let released: Promise<void> = Promise.resolve();
  let held = 0;
  return {
    set: (fault: InboxFault | undefined) => {
      release();
      held = 0;
      current = fault;
      left = fault?.times ?? Number.POSITIVE_INFINITY;
      released = new Promise((resolve) => {
        release = resolve;
      });
    },
    /** The fault, if it is one of these, and one time less of it. */
    take: (address: string, ...kinds: InboxFault['kind'][]): InboxFault | undefined => {
      if (!current || !kinds.includes(current.kind) || left === 0) return undefined;
      if (current.to !== undefined && current.to !== address) return undefined;
      left--;
      return current;
    },
    gone: () => {
      held++;
      return released;
    },
    held: () => held,
  };
}

async function readAtMost(stream: SMTPServerDataStream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // To its end also if it is too large, or the answer cannot be given; kept is no more than the limit.
  for await (const chunk of stream) if (stream.byteLength <= maxBytes) chunks.push(chunk);
  if (stream.sizeExceeded) throw reply(552, 'Too large');
  return Buffer.concat(chunks);
}

const reply = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });
