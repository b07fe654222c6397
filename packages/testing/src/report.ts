import { relative } from 'node:path';

/** What a package's tests (`reports/test.json`, as vitest writes it) or scenarios (`reports/e2e.json`) have come to. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  success?: boolean;
  testResults?: {
    name: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
  /** Names of scenarios. */
  failed?: string[];
}

/**
 * Who has failed, where and of what: one line each, to be found below what thousands of tests have printed. A test that passed
 * only when it was run again is named, too: something is wrong with it, or with what it tests.
 *
 * @param root absolute path, from which files are named
 */
export function remarks({ testResults = [], failed = [] }: Report, root: string): string[] {
  const tests = testResults.flatMap(({ name, message, assertionResults }) => {
    const file = relative(root, name);
    // A test file that could not be loaded has no test that could fail.
    if (message && assertionResults.length === 0) return [`failed: ${file}: ${firstLine(message)}`];
    return assertionResults
      .filter(({ failureMessages }) => failureMessages?.length)
      .map(({ fullName, status, failureMessages }) => {
        const how = status === 'passed' ? 'not at once' : 'failed';
        return `${how}: ${file}: ${fullName}: ${firstLine(failureMessages?.[0])}`;
      });
  });
  return [...tests, ...failed.map((scenario) => `failed: ${scenario}`)];
}

const firstLine = (text = '') => text.split('\n')[0];
