import { describe, expect, it } from 'vitest';
import { remarks } from '../src/report.ts';

const counts = { numPassedTests: 1, numFailedTests: 0 };

describe('What is said of a report', () => {
  it('is nothing of tests that passed', () => {
    const assertionResults = [{ fullName: 'a test', status: 'passed', failureMessages: [] }];
    expect(remarks({ ...counts, testResults: [{ name: '/repo/a.test.ts', assertionResults }] }, '/repo')).toEqual([]);
  });

  it('names who failed, where and of what, and who passed only when it was run again', () => {
    const assertionResults = [
      { fullName: 'a test', status: 'failed', failureMessages: ['Error: 1 is not 2\n    at a.test.ts:3'] },
      { fullName: 'another', status: 'passed', failureMessages: ['Error: too late\n    at a.test.ts:9'] },
    ];
    expect(
      remarks({ ...counts, testResults: [{ name: '/repo/apps/a/a.test.ts', assertionResults }] }, '/repo'),
    ).toEqual([
      'failed: apps/a/a.test.ts: a test: Error: 1 is not 2',
      'not at once: apps/a/a.test.ts: another: Error: too late',
    ]);
  });

  it('names a file that could not be loaded, and a scenario that did not keep its promise', () => {
    const testResults = [{ name: '/repo/b.test.ts', message: 'SyntaxError: no\nmore', assertionResults: [] }];
    expect(remarks({ ...counts, testResults, failed: ['sold-out'] }, '/repo')).toEqual([
      'failed: b.test.ts: SyntaxError: no',
      'failed: sold-out',
    ]);
  });
});
