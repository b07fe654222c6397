import { partOf } from '../app-files.ts';
import { importsOf } from '../imports.ts';
import type { Violation } from '../violation.ts';
import { isSafeEntry } from '../workflow-safe.ts';
import { filesBelow, isSource, readText, type Workspace } from '../workspace.ts';

const rule = 'workflow-imports';

/**
 * What a workflow file itself may name, types included: `@temporalio/workflow`, packages that are workflow-safe, and
 * (left to the rule `direction`) the contract, other workflow files and types of activities.
 */
export function workflowSource(workspace: Workspace): Violation[] {
  return workspace.apps.flatMap((app) =>
    filesBelow(workspace, `${app.path}/src`)
      .filter((file) => isSource(file) && partOf(file.slice(app.path.length + 1)) === 'workflows')
      .flatMap((file) =>
        importsOf(file, readText(workspace, file))
          .filter(({ specifier }) => !specifier.startsWith('.') && specifier !== '@temporalio/workflow')
          .filter(({ specifier }) => !isSafeEntry(workspace, specifier))
          .map(({ specifier, line }) => ({ rule, file, line, message: `imports ${specifier}: ${instead(specifier)}` })),
      ),
  );
}

function instead(specifier: string): string {
  if (specifier.startsWith('@temporalio/')) return 'take it from @temporalio/workflow, or move it into the contract';
  if (specifier.startsWith('@repo/')) {
    return 'not workflow-safe; call it in an activity, or, if nothing in it reaches Node, the network or a clock, say "workflowSafe" in its package.json';
  }
  return 'workflows decide, activities touch the world; call it in an activity, or use it in the contract';
}
