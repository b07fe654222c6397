import { InvalidInputError } from '@repo/worker-kit/errors';
import { type Destination, destinationOf, explained, writeCopy } from './destination.ts';
import { dependenceOn } from './independence.ts';
import { planCopy } from './plan.ts';
import type { Member, Repository } from './repository.ts';

/** What was typed after `pnpm copy-app`. */
export interface CopyRequest {
  app: string;
  folder: string;
  /** The folder from which `folder` is meant. */
  from: string;
}

/**
 * Makes an npm project of its own out of an app, with the source of the packages that it uses. All of it or nothing.
 *
 * @returns where it is, and how many files it has
 * @throws InvalidInputError for an app that does not exist or a folder that will not do, OperatorError where this user
 * may not write, Error if something in the repository cannot be copied, and the signal's reason once it is aborted
 */
export async function copyApp(
  repository: Repository,
  request: CopyRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Destination & { files: number }> {
  const app = appNamed(repository, request.app);
  const destination = mayLook(request, repository.root);
  const plan = planCopy(repository, app, destination.name);
  const own = [plan.manifest.dependencies, plan.manifest.devDependencies, plan.manifest.optionalDependencies];
  if (own.some((some) => some && destination.name in some)) {
    const message = `its last part becomes the project's name, and "${destination.name}" is a package that it uses`;
    throw new InvalidInputError([{ field: 'folder', message }]);
  }
  const problems = dependenceOn(repository.root, plan);
  if (problems.length > 0) {
    throw new Error(`A copy of ${app.folder} would not work without this repository:\n  ${problems.join('\n  ')}`);
  }
  await writeCopy(destination, plan.files, signal);
  return { ...destination, files: plan.files.size };
}

function appNamed({ apps }: Repository, name: string): Member {
  const app = apps.get(name);
  if (app !== undefined) return app;
  const message = `there is no app "${name}"; there ${apps.size === 1 ? 'is' : 'are'} ${[...apps.keys()].join(', ')}`;
  throw new InvalidInputError([{ field: 'app', message }]);
}

function mayLook({ folder, from }: CopyRequest, root: string): Destination {
  try {
    return destinationOf(folder, from, root);
  } catch (error) {
    throw explained(error, folder);
  }
}
