import { relative } from 'node:path';

/** What a package's tests (`reports/test.json`, as vitest writes it) or scenarios (`reports/e2e.json`) have come to. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults?: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
  /** Names of scenarios. */
  failed?: string[];
}

/** What has passed and failed; a file that could not be loaded, or of which a hook has failed, is one more that has. */
export function counts({ numPassedTests, numFailedTests, testResults = [] }: Report): {
  passed: number;
  failed: number;
} {
  return { passed: numPassedTests, failed: numFailedTests + testResults.filter(isBroken).length };
}

/**
 * Who has failed, where and of what: one line each, to be found below what thousands of tests have printed.
 *
 * @param root absolute path, from which files are named
 */
export function remarks({ testResults = [], failed = [] }: Report, root: string): string[] {
  const tests = testResults.flatMap((result) => {
    const file = relative(root, result.name);
    const broken = isBroken(result) ? [`failed: ${file}: ${firstLine(result.message) || 'beforeAll or afterAll'}`] : [];
    const named = result.assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `failed: ${file}: ${fullName}: ${firstLine(failureMessages?.[0])}`);
    return [...broken, ...named];
  });
  return [...tests, ...failed.map((scenario) => `failed: ${scenario}`)];
}

/** Vitest has a failure of the file itself, for which none of its tests stands. */
function isBroken({ status, message, assertionResults }: NonNullable<Report['testResults']>[number]): boolean {
  if (message) return true;
  return status === 'failed' && !assertionResults.some((one) => one.status === 'failed');
}

const firstLine = (text = '') => text.split('\n')[0];
