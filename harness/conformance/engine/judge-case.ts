/** One case, run to its end whatever happens in it: a result, never an exception. */
import { clauseOf } from '../clauses/registry.ts';
import { Broken, type CaseResult, NotApplicable, Unclear } from '../outcome.ts';
import type { BaseContext } from './context.ts';

const LIMIT_MILLIS = 20_000;

export type Judged = {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly limitMillis: number | undefined;
  readonly path: string;
  readonly rerun: string;
};

type Said = Pick<CaseResult, 'verdict' | 'blame' | 'expected' | 'got'>;

const saidBy = (error: unknown): Said => {
  if (error instanceof Broken)
    return { verdict: 'fail', blame: 'target', expected: error.expected, got: error.got };
  if (error instanceof Unclear)
    return { verdict: 'inconclusive', blame: error.blame, expected: '', got: error.message };
  if (error instanceof NotApplicable)
    return { verdict: 'not-applicable', blame: undefined, expected: '', got: error.message };
  const got = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { verdict: 'inconclusive', blame: 'harness', expected: 'a case that can be run', got };
};

/** @param run the case itself; rejects with Broken, Unclear or NotApplicable */
export const judgeCase = async (
  judged: Judged,
  context: BaseContext,
  run: () => Promise<void>,
): Promise<CaseResult> => {
  const began = performance.now();
  const limit =
    (judged.limitMillis ?? LIMIT_MILLIS) * Math.max(1, context.capabilities.timeScale) +
    4 * (context.patienceMillis - 5_000);
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new Unclear(`the case was not over after ${Math.round(limit)} ms`, 'harness')),
    limit,
  );
  let said: Said = { verdict: 'pass', blame: undefined, expected: '', got: 'as expected' };
  try {
    await Promise.race([run(), expired.promise]);
  } catch (error) {
    said = saidBy(error);
  } finally {
    clearTimeout(timer);
  }
  await context.dispose().catch((error) => {
    if (said.verdict === 'pass') said = saidBy(error);
  });
  const { id, title, clause, path, rerun } = judged;
  return {
    ...{ id, title, clause, level: clauseOf(clause).level, path, rerun },
    ...said,
    closing: context.closing,
    observations: context.observations,
    wire: context.log.events,
    millis: Math.round(performance.now() - began),
  };
};
