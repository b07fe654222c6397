import { exitWithParent } from '@repo/dev-stack';
import { artifactFolder } from '../src/services/artifact-folder.ts';

// Puts large archives into a store, one after the other, until it is killed: `artifact-store-worker.ts <folder> <name>`.

exitWithParent();
const [, , folder = '', name = ''] = process.argv;
const store = artifactFolder(folder);
process.send?.({ ready: true });
for (let count = 0; ; count += 1) {
  process.send?.({ put: await store.put(Buffer.alloc(4 * 1024 * 1024, `${name} ${count} `)) });
}
