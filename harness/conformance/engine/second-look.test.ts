/** What failed while the machine was short of processors is nobody's failure before it was looked at again, by itself. */
import t from 'tap';
import type { Case, ClientContext, ServerContext } from '../case.ts';
import { Broken, type CaseResult } from '../outcome.ts';
import { EVERYTHING } from '../targets/capabilities.ts';
import type { RunningServer, ServerTarget } from '../targets/target.ts';
import type { Canary } from './canary.ts';
import { DIRECT } from './path.ts';
import { runClientCases } from './run-client-cases.ts';
import { runServerCases } from './run-server-cases.ts';

type Machine = { readonly worstMillis: number; readonly stalledShare: number };
const WELL: Machine = { worstMillis: 1, stalledShare: 0.1 };
const BUSY: Machine = { worstMillis: 90, stalledShare: 0.9 };
const SLOW: Machine = { worstMillis: 900, stalledShare: 0.95 };

/** A canary that tells of one machine after the other, each until a case has ended on it; the last one stays. */
const machines = (...states: readonly Machine[]) => {
  const left = [...states];
  const now = (): Machine => left[0] ?? WELL;
  const canary = { worstMillis: () => now().worstMillis, stalledShare: () => now().stalledShare };
  const next = (): void => {
    if (left.length > 1) left.shift();
  };
  return { canary: canary as unknown as Canary, next };
};

const server: RunningServer = {
  ...{ address: { host: '127.0.0.1', port: 1 }, died: undefined, outputFile: undefined, files: new Set() },
  ...{ alive: async () => true, output: () => '', holdings: async () => undefined },
  ...{ signal: async () => undefined, stop: async () => undefined },
};
const target: ServerTarget = { text: 'a fake', restartable: false, start: async () => server };

type Item = Pick<Case<unknown>, 'alone' | 'statistical' | 'limitMillis'>;

/** @param ends what the case comes to at each look; the last one again and again */
const judged = async (
  role: 'server' | 'client',
  states: readonly Machine[],
  ends: readonly ('fail' | 'pass' | 'no end')[],
  item: Item = {},
): Promise<{
  readonly result: CaseResult;
  readonly looks: number;
  readonly told: number;
  readonly drawn: number;
}> => {
  const { canary, next } = machines(...states);
  let looks = 0;
  let told = 0;
  const drawn = new Set<number>();
  const one = {
    ...{ name: 'a/b', title: 'it holds', clause: 'PORT-CTRL-2', needs: [], ...item },
    run: async (context: ServerContext | ClientContext) => {
      // registered first, so it runs last: the machine changes when this look is over
      context.cleanup(next);
      drawn.add(context.rng.int32());
      const end = ends[looks++] ?? ends.at(-1);
      if (end === 'fail') throw new Broken('"ok"', 'nothing, then FIN');
      if (end === 'no end') await new Promise(() => undefined);
    },
  };
  const common = {
    ...{ path: DIRECT, jobs: 2, rerunOf: (id: string) => id, signal: new AbortController().signal },
    surroundings: { capabilities: EVERYTHING, canary, seed: 1 },
    done: () => void told++,
  };
  const profile = { name: 'p', summary: '', capabilities: {}, cases: [one] };
  const results =
    role === 'server'
      ? await runServerCases({ ...common, target, profile: { ...profile, role }, cases: [one] })
      : await runClientCases({
          ...{ ...common, command: 'true', cases: [one] },
          profile: { ...profile, role, placeholders: {} },
        });
  return { result: results[0] as CaseResult, looks, told, drawn: drawn.size };
};

for (const role of ['server', 'client'] as const) {
  t.test(`a failure on a machine that is well is told at once (${role})`, async (t) => {
    const { result, looks, told } = await judged(role, [WELL], ['fail']);
    t.match(result, { verdict: 'fail', blame: 'target', strain: undefined });
    t.strictSame([looks, told], [1, 1]);
  });

  t.test(
    `a failure on a busy machine that does not come again passes, and is told beside (${role})`,
    async (t) => {
      const { result, looks, told } = await judged(role, [BUSY, WELL], ['fail', 'pass']);
      t.match(result, { verdict: 'pass', observations: [/the first time fail while .* 90 %.*then FIN/] });
      t.strictSame([looks, told], [2, 1], 'one result of two looks');
    },
  );

  t.test(`a failure that comes again stands, however busy the machine is (${role})`, async (t) => {
    const { result, looks } = await judged(role, [BUSY], ['fail']);
    t.match(result, { verdict: 'fail', blame: 'target' });
    t.equal(looks, 2);
  });

  t.test(`a failure that comes again on a machine that answers nobody is nobody's (${role})`, async (t) => {
    const { result, looks } = await judged(role, [SLOW], ['fail']);
    t.match(result, { verdict: 'inconclusive', blame: 'environment', got: /900 ms.*then FIN/ });
    t.equal(looks, 2, 'and there is no third look');
  });

  t.test(`a case that runs by itself gets its second look, too (${role})`, async (t) => {
    const alone = await judged(role, [BUSY, WELL], ['fail', 'pass'], { alone: 'machine' });
    t.equal(alone.result.verdict, 'pass');
    const chance = await judged(role, [BUSY], ['fail', 'fail', 'fail', 'pass'], {
      statistical: { runs: 3, atLeast: 1 },
    });
    t.match(chance.result, { verdict: 'pass' });
    t.equal(chance.looks, 4, 'three of the first look, one of the second');
  });

  t.test(`a case without an end is ours, but on a busy machine gets a second look (${role})`, async (t) => {
    const limit = { limitMillis: 50 };
    const ours = await judged(role, [WELL], ['no end'], limit);
    t.match(ours, { result: { verdict: 'inconclusive', blame: 'harness' }, looks: 1 });
    const late = await judged(role, [BUSY, WELL], ['no end', 'pass'], limit);
    t.match(late, { result: { verdict: 'pass' }, looks: 2 });
  });
}

t.test(
  'a second look at a server takes names of its own: what the first one stored is still there',
  async (t) => {
    const { looks, drawn } = await judged('server', [BUSY], ['fail']);
    t.strictSame([looks, drawn], [2, 2]);
  },
);
