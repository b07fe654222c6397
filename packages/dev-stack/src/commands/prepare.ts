import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../paths.ts';
import { type ProgramName, programDefinitions } from '../programs/definitions.ts';
import { ensureProgram } from '../programs.ts';
import { terminalProgress } from '../progress.ts';

/** Part of the key of every cached test run (turbo.json): another Node or another server is another result. */
const environmentFile = join(projectRoot, 'node_modules', '.cache', 'temporal-apps', 'environment.json');

/** Makes all server programs ready, and writes down what tests will run on. Quiet when there is nothing to do. */
export async function prepare(): Promise<void> {
  const onProgress = terminalProgress();
  const environment: Record<string, string> = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
  // One after another: two builds at once would take as long, and their progress would be mixed up.
  for (const name of Object.keys(programDefinitions) as ProgramName[]) {
    const { version, source } = await ensureProgram(name, { onProgress });
    environment[name] = `${version} (${source})`;
  }
  const text = `${JSON.stringify(environment, null, 2)}\n`;
  mkdirSync(dirname(environmentFile), { recursive: true });
  // Written only if it differs: turbo looks at what is in it, other tools at its time.
  let before: string | undefined;
  try {
    before = readFileSync(environmentFile, 'utf8');
  } catch {
    // The first time.
  }
  if (before !== text) writeFileSync(environmentFile, text);
}
