import { describe, expect, it } from 'vitest';
import { counts, remarks } from '../src/report.ts';

const sums = { numPassedTests: 1, numFailedTests: 0 };

describe('What is said of a report', () => {
  it('is nothing of tests that passed', () => {
    const assertionResults = [{ fullName: 'a test', status: 'passed', failureMessages: [] }];
    expect(
      remarks({ ...sums, testResults: [{ name: '/repo/a.test.ts', status: 'passed', assertionResults }] }, '/repo'),
    ).toEqual([]);
  });

  it('names who failed, where and of what', () => {
    const assertionResults = [
      { fullName: 'a test', status: 'failed', failureMessages: ['Error: 1 is not 2\n    at a.test.ts:3'] },
      { fullName: 'another', status: 'passed', failureMessages: [] },
    ];
    expect(
      remarks(
        { ...sums, testResults: [{ name: '/repo/apps/a/a.test.ts', status: 'failed', assertionResults }] },
        '/repo',
      ),
    ).toEqual(['failed: apps/a/a.test.ts: a test: Error: 1 is not 2']);
  });

  it('names a file that could not be loaded, and a scenario that did not keep its promise', () => {
    const testResults = [
      { name: '/repo/b.test.ts', status: 'failed', message: 'SyntaxError: no\nmore', assertionResults: [] },
    ];
    expect(remarks({ ...sums, testResults, failed: ['sold-out'] }, '/repo')).toEqual([
      'failed: b.test.ts: SyntaxError: no',
      'failed: sold-out',
    ]);
  });

  it('names and counts a file of which a hook has failed, besides its tests', () => {
    const skipped = { fullName: 'a test', status: 'skipped', failureMessages: [] };
    const failed = { fullName: 'another', status: 'failed', failureMessages: ['Error: no'] };
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      testResults: [
        { name: '/repo/a.test.ts', status: 'failed', message: 'Error: port taken', assertionResults: [skipped] },
        { name: '/repo/b.test.ts', status: 'failed', message: '', assertionResults: [skipped] },
        { name: '/repo/c.test.ts', status: 'failed', message: '', assertionResults: [failed] },
      ],
    };
    expect(counts(report)).toEqual({ passed: 3, failed: 3 });
    expect(remarks(report, '/repo')).toEqual([
      'failed: a.test.ts: Error: port taken',
      'failed: b.test.ts: beforeAll or afterAll',
      'failed: c.test.ts: another: Error: no',
    ]);
  });
});
