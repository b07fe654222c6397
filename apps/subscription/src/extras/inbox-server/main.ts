import { type InboxFault, startInbox } from '@repo/notifications/inbox';

/**
 * The mail server that this app brings along, for where SMTP_URL names none: on 127.0.0.1, it keeps every delivery as a file
 * and passes nothing on. `main.ts <folder> [port]`. A message `{ fault }` makes it do something wrong, `{}` mends it.
 */
const [, , folder, port] = process.argv;
if (!folder) throw new Error('The first argument is the folder for the mails.');
const inbox = await startInbox({ folder, ...(port && { port: Number(port) }) });

let closing = false;
const close = async () => {
  if (closing) return;
  closing = true;
  await inbox.close();
  process.exit(0);
};
process.on('message', ({ fault }: { fault?: InboxFault }) => inbox.setFault(fault));
process.on('SIGTERM', close);
// Under a parent, Ctrl-C reaches this process too; then the parent decides in which order its children stop.
process.on('SIGINT', () => process.connected || close());
process.on('disconnect', close);
// The parent may have died while this program was still being loaded.
if (process.connected === false) await close();
console.log(`The inbox listens on ${inbox.url}`);
process.send?.({ listening: inbox.port });
