import { direction } from './rules/direction.ts';
import { links } from './rules/links.ts';
import { quotes } from './rules/quotes.ts';
import { shape } from './rules/shape.ts';
import { versions } from './rules/versions.ts';
import { workflowBundle } from './rules/workflow-bundle.ts';
import { workflowSource } from './rules/workflow-source.ts';
import type { Violation } from './violation.ts';
import type { Workspace } from './workspace.ts';

type Rule = (workspace: Workspace) => Violation[] | Promise<Violation[]>;

/** Every rule of this repository that needs a check of its own, by the name that `pnpm rules <name>` takes. */
export const rules: Record<string, Rule[]> = {
  direction: [direction],
  'workflow-imports': [workflowSource, workflowBundle],
  shape: [shape],
  versions: [versions],
  links: [links],
  quotes: [quotes],
};
