/**
 * The cases of one client profile: each starts the target for itself, so all that need no machine for themselves run side by side.
 * What a busy machine left undecided, or may be to blame for, is judged once more by itself.
 */
import type { Case, ClientContext, ClientProfile } from '../case.ts';
import { Broken, type CaseResult } from '../outcome.ts';
import type { ClientCommand } from '../targets/client-target.ts';
import { LiveClientContext } from './client-context.ts';
import type { Surroundings } from './context.ts';
import { isWorthAnotherLook, judgeCase, secondLook } from './judge-case.ts';
import { type PathSpec, pathMillis, pathName } from './path.ts';

export type ClientRun = {
  readonly profile: ClientProfile;
  readonly cases: readonly Case<ClientContext>[];
  readonly command: ClientCommand;
  readonly surroundings: Omit<Surroundings, 'pathMillis'>;
  readonly path: PathSpec;
  readonly jobs: number;
  readonly rerunOf: (id: string, path: string) => string;
  readonly done: (result: CaseResult) => void;
  readonly signal: AbortSignal;
};

const once = async (run: ClientRun, item: Case<ClientContext>): Promise<CaseResult> => {
  const id = `${run.profile.name}/${item.name}`;
  const path = pathName(run.path);
  const around = { ...run.surroundings, pathMillis: pathMillis(run.path) };
  const context = new LiveClientContext(id, around, run.command, run.path);
  const { title, clause, limitMillis } = item;
  const lacks = item.needs.find((need) => !run.surroundings.capabilities.has(need));
  return judgeCase(
    { id, title, clause, limitMillis, path, rerun: run.rerunOf(id, path) },
    context,
    async () => {
      if (lacks !== undefined) return context.lacks(lacks);
      if (item.directOnly === true) context.onlyDirect(path);
      try {
        await item.run(context);
      } catch (error) {
        throw error instanceof Broken ? await context.withLastWords(error) : error;
      }
    },
    run.signal,
  );
};

/** As often as a clause about chance asks for. */
const judged = async (run: ClientRun, item: Case<ClientContext>): Promise<CaseResult> => {
  const { runs, atLeast } = item.statistical ?? { runs: 1, atLeast: 1 };
  let passed = 0;
  let worst: CaseResult | undefined;
  for (let i = 0; i < runs; i++) {
    const result = await once(run, item);
    if (result.verdict === 'pass' && ++passed >= atLeast)
      return runs === 1 ? result : { ...result, got: `held in ${passed} of ${i + 1} runs` };
    if (worst === undefined || result.verdict === 'fail') worst = result;
  }
  return worst as CaseResult;
};

export const runClientCases = async (run: ClientRun): Promise<readonly CaseResult[]> => {
  const results = new Map<string, CaseResult>();
  const again = new Map<Case<ClientContext>, CaseResult>();
  const keep = (item: Case<ClientContext>, result: CaseResult): void => {
    if (run.signal.aborted) return;
    results.set(item.name, result);
    run.done(result);
  };
  const take = async (item: Case<ClientContext>): Promise<void> => {
    const result = await judged(run, item);
    if (isWorthAnotherLook(result)) again.set(item, result);
    else keep(item, result);
  };
  const queue = run.cases.filter((item) => item.alone !== 'machine');
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && !run.signal.aborted; item = queue.shift())
      await take(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, run.jobs) }, lane));
  for (const item of run.cases.filter((item) => item.alone === 'machine'))
    if (!run.signal.aborted) await take(item);
  for (const [item, first] of again)
    if (!run.signal.aborted) keep(item, secondLook(first, await judged(run, item)));
  return run.cases.flatMap((item) => results.get(item.name) ?? []);
};
