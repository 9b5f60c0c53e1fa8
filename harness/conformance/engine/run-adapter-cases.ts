/** The cases of one adapter profile, one after the other against one process: what a case leaves behind, the next one meets. */
import type { AdapterContext, AdapterProfile, Case } from '../case.ts';
import type { CaseResult } from '../outcome.ts';
import { ANSWER_MILLIS, ExecAdapter } from '../targets/exec-adapter.ts';
import { LiveAdapterContext } from './adapter-context.ts';
import type { Surroundings } from './context.ts';
import { judgeCase } from './judge-case.ts';

/** Groups end by themselves: they give up after a few requests without an answer, and those have a limit each. */
const LIMIT_MILLIS = 900_000;

export type AdapterRun = {
  readonly profile: AdapterProfile;
  readonly cases: readonly Case<AdapterContext>[];
  readonly command: string;
  readonly surroundings: Omit<Surroundings, 'pathMillis'>;
  /** How long one answer may take, before the declared time scale. */
  readonly answerMillis?: number;
  readonly rerunOf: (id: string, path: string) => string;
  readonly done: (result: CaseResult) => void;
  readonly signal: AbortSignal;
};

/** @throws TargetError when the adapter does not come up at all */
export const runAdapterCases = async (run: AdapterRun): Promise<readonly CaseResult[]> => {
  const { profile, cases, command, signal, rerunOf, done, answerMillis = ANSWER_MILLIS } = run;
  const surroundings: Surroundings = { ...run.surroundings, pathMillis: 0 };
  const { capabilities } = surroundings;
  const adapter = await ExecAdapter.start(command, answerMillis * Math.max(1, capabilities.timeScale));
  const stop = (): void => void adapter.close();
  signal.addEventListener('abort', stop, { once: true });
  const results: CaseResult[] = [];
  try {
    for (const item of cases) {
      if (signal.aborted) break;
      const id = `${profile.name}/${item.name}`;
      const context = new LiveAdapterContext(id, surroundings, adapter);
      const { title, clause, limitMillis = LIMIT_MILLIS } = item;
      const lacks = item.needs.find((need) => !capabilities.has(need));
      const result = await judgeCase(
        { id, title, clause, limitMillis, path: 'direct', rerun: rerunOf(id, 'direct') },
        context,
        async () => (lacks === undefined ? item.run(context) : context.lacks(lacks)),
      );
      if (signal.aborted) break;
      results.push(result);
      done(result);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await adapter.close();
  }
  return results;
};
