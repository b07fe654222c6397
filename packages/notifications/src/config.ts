import { z } from 'zod';
import { isSender } from './address.ts';

/** From the environment. What is wrong is said without the value: there is a password in it. */
export const smtpConfig = z.object({
  /**
   * `smtps://user:password@mail.example.com:465`, or `smtp://…:587`, where the server must offer STARTTLS. On this machine
   * (127.0.0.0/8, localhost, [::1]) smtp:// is not encrypted, unless `?requireTLS=true` is added.
   */
  SMTP_URL: z.string().refine(isSmtpUrl, 'must look like smtps://user:password@mail.example.com:465'),
  /** The sender: `billing@example.com` or `Example Shop <billing@example.com>`. Its domain is that of every Message-ID. */
  MAIL_FROM: z.string().refine(isSender, 'must look like billing@example.com or Example Shop <billing@example.com>'),
});

export type SmtpConfig = z.infer<typeof smtpConfig>;

/** Where a mail server is and how it is spoken to. */
export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte. */
  secure: boolean;
  /** STARTTLS, or no mail. */
  requireTLS: boolean;
  /** Not even STARTTLS: this machine. */
  ignoreTLS: boolean;
  auth?: { user: string; pass: string };
}

/** Reads a URL that `smtpConfig` accepts. @throws Error that does not show the URL */
export function smtpServer(url: string): SmtpServer {
  const server = read(url);
  if (!server) throw new Error('SMTP_URL must look like smtps://user:password@mail.example.com:465');
  return server;
}

function isSmtpUrl(text: string): boolean {
  return read(text) !== undefined;
}

function read(text: string): SmtpServer | undefined {
  // The error of the URL class would show the text, and the password in it.
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, hash, searchParams } = new URL(text);
  if ((protocol !== 'smtp:' && protocol !== 'smtps:') || hostname === '' || hash !== '') return undefined;
  const { requireTLS, ...others } = Object.fromEntries(searchParams);
  const isPlainPath = pathname === '' || pathname === '/';
  if (!isPlainPath || Object.keys(others).length > 0 || !/^(?:true|false|)$/.test(requireTLS ?? '')) return undefined;
  const auth = credentials(username, password);
  if (auth === null) return undefined;
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const encrypt = requireTLS === 'true' || !isLoopback(host);
  return {
    host,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && encrypt,
    ignoreTLS: !secure && !encrypt,
    ...(auth && { auth }),
  };
}

/** Null if there is only half of them, or if they cannot be read. */
function credentials(username: string, password: string): SmtpServer['auth'] | null | undefined {
  if (username === '' && password === '') return undefined;
  if (username === '' || password === '') return null;
  try {
    const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
    return /[\p{Cc}\p{Cs}]/u.test(user + pass) ? null : { user, pass };
  } catch {
    return null;
  }
}

const isLoopback = (host: string): boolean =>
  /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/.test(host.toLowerCase());
