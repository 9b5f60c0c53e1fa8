/** What came of the tests, and the closing line that says so. */
import { readFileSync } from 'node:fs';

export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** The reporter writes its tally to this file instead of printing the closing line: another run of tap follows. */
export const TALLY_FILE = 'RELAYLAB_TALLY_FILE';
/** Set to 1 where everything ci/README.md lists is installed: a skipped test is a failure. */
export const NOTHING_SKIPPED = 'RELAYLAB_NOTHING_SKIPPED';

export const sum = (tallies: readonly Tally[]): Tally =>
  tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );

export const closingLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** The tally a run of tap left. One that left none, or that failed without saying where, counts as one failure. */
export const tallyOf = (file: string, exitCode: number): Tally => {
  let tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  try {
    tally = JSON.parse(readFileSync(file, 'utf8')) as Tally;
  } catch {
    return { ...tally, failed: 1 };
  }
  return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
};
