/**
 * What a mail can be sent to with any server: RFC 5321 without quoted local parts and address literals, ASCII only. Addresses
 * with other letters in front of the @ need SMTPUTF8, which many servers on the way do not have.
 */
export function isAddress(text: string): boolean {
  const [local = '', domain = '', ...rest] = text.split('@');
  return rest.length === 0 && text.length <= 254 && isLocalPart(local) && isDomain(domain);
}

const isLocalPart = (local: string): boolean =>
  local.length <= 64 && /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local);

const isDomain = (domain: string): boolean =>
  domain.length <= 253 &&
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,58}[A-Za-z0-9])$/.test(
    domain,
  );

export interface Sender {
  name: string;
  address: string;
  domain: string;
}

/** `billing@example.com` or `Example Shop <billing@example.com>`; undefined for anything else. */
export function readSender(text: string): Sender | undefined {
  const [, name = '', bracketed] = /^([^<>]*)<([^<>]+)>$/.exec(text) ?? [];
  const address = bracketed ?? text;
  if (!isAddress(address) || name.length > 100 || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return undefined;
  return { name: name.trim(), address, domain: address.slice(address.indexOf('@') + 1).toLowerCase() };
}

export const isSender = (text: string): boolean => readSender(text) !== undefined;
