export { type Delivery, readInbox } from './inbox/read.ts';
export { type Inbox, type InboxFault, type InboxOptions, startInbox } from './inbox/server.ts';
