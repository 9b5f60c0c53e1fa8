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

/**
 * Something else than the target may be why: worth another look with the machine to itself. A target that was given its bytes late,
 * or had no processor, may well have been right to hang up: also what it did, not only what it did not do, is in doubt.
 */
export const isWorthAnotherLook = ({ verdict, blame, strain }: CaseResult): boolean =>
  (verdict === 'inconclusive' && blame === 'environment') || (verdict === 'fail' && strain !== undefined);

/** What stands when no further look is taken: a failure on a machine that answered nobody in time is nobody's. */
export const lastWord = (result: CaseResult): CaseResult => {
  const { verdict, strain, expected, got } = result;
  if (verdict !== 'fail' || strain?.slow !== true) return result;
  const said = `the machine was too slow to tell: ${strain.words} meanwhile; expected ${expected}, got ${got}`;
  return { ...result, verdict: 'inconclusive', blame: 'environment', expected: '', got: said };
};

/** The second look counts; what the first one saw is told beside it. */
export const secondLook = (first: CaseResult, second: CaseResult): CaseResult => {
  const why = first.strain === undefined ? '' : ` while ${first.strain.words}`;
  const seen = `looked at twice: the first time ${first.verdict}${why}: ${first.got}`;
  return lastWord({ ...second, observations: [...second.observations, seen] });
};

/** The case went on beyond its limit: the machine's fault, the path's, or a case that cannot end. */
const overdue = (context: BaseContext, limit: number, path: string): Unclear => {
  try {
    context.blameLoad(limit, 'the end of the case');
  } catch (error) {
    if (error instanceof Unclear) return error;
  }
  return new Unclear(
    `the case was not over after ${Math.round(limit)} ms`,
    path === 'direct' ? 'harness' : 'environment',
  );
};

/** A connection that the path took away cannot be held against the target. */
const excused = (said: Said, context: BaseContext): Said => {
  const losses = context.paths.flatMap((path) => path.losses());
  if (said.verdict !== 'fail' || losses.length === 0) return said;
  const got = `${losses.join(', ')}, so this proves nothing: expected ${said.expected}; got ${said.got}`;
  return { verdict: 'inconclusive', blame: 'environment', expected: '', got };
};

/**
 * @param run the case itself; rejects with Broken, Unclear or NotApplicable
 * @param signal ends the case at once; its result is then worth nothing
 */
export const judgeCase = async (
  judged: Judged,
  context: BaseContext,
  run: () => Promise<void>,
  signal?: AbortSignal,
): Promise<CaseResult> => {
  const began = performance.now();
  const limit =
    (judged.limitMillis ?? LIMIT_MILLIS) * Math.max(1, context.capabilities.timeScale) +
    4 * (context.patienceMillis - 5_000);
  const cut = Promise.withResolvers<never>();
  const timer = setTimeout(() => cut.reject(overdue(context, limit, judged.path)), limit);
  const interrupted = (): void => cut.reject(new Unclear('interrupted'));
  signal?.addEventListener('abort', interrupted, { once: true });
  let said: Said = { verdict: 'pass', blame: undefined, expected: '', got: 'as expected' };
  try {
    await Promise.race([run(), cut.promise]);
  } catch (error) {
    said = saidBy(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupted);
  }
  said = excused(said, context);
  const millis = Math.round(performance.now() - began);
  const strain = said.verdict === 'fail' ? context.strain(millis) : undefined;
  const receipts = context.paths.flatMap((path) => path.receipts());
  await context.dispose().catch((error) => {
    if (said.verdict === 'pass') said = saidBy(error);
  });
  const { id, title, clause, path, rerun } = judged;
  return {
    ...{ id, title, clause, level: clauseOf(clause).level, path, rerun },
    ...said,
    closing: context.closing,
    observations: context.observations,
    receipts,
    wire: context.log.events,
    ...{ millis, strain },
  };
};
