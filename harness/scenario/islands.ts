/** A run too large for one world: its islands, one after the other, in one trace. */
import { createHash } from 'node:crypto';
import type { Chosen } from '../labs/choose.ts';
import type { LabContext } from '../labs/lab.ts';
import { Stamper } from '../trace/stamp.ts';
import type { EventOf, Happening, TraceEvent } from '../trace/trace.ts';
import { type Island, type PlanSample, sampleOf, thinned } from './crowd.ts';
import { PlanDirector } from './director.ts';
import type { Options, Plan } from './scenario.ts';
import { seedText } from './seed-text.ts';

/** A plan follows from its options, so those of the islands stand for plans that would be half a gigabyte as text. */
const hashOf = (first: Plan, islands: readonly Island[]): string =>
  createHash('sha256')
    .update(JSON.stringify([first, islands.map(({ options }) => options)]))
    .digest('hex')
    .slice(0, 16);

export type IslandRequest = Pick<LabContext, 'sink' | 'signal' | 'progress' | 'keep'> & {
  readonly chosen: Chosen;
  readonly options: Options;
};

/** What an island needs of a run's own ways (execute.ts). */
export type IslandWays = {
  readonly plan: (island: Island) => Plan;
  /** The first of them is `run.began`. */
  readonly declarations: (plan: Plan, sample: PlanSample, hash: string) => Iterable<Happening>;
};

/**
 * Makes the plan of each island, runs it and forgets it. One island is an ordinary run of which most is counted instead of told;
 * several stand between `island.began` and `island.ended`, and in each of them time begins again.
 * @throws what the lab throws, and the reason of the aborted signal
 */
export const executeIslands = async (
  request: IslandRequest,
  islands: readonly Island[],
  ways: IslandWays,
): Promise<void> => {
  const { chosen, options, sink, signal, progress, keep } = request;
  const header = new Stamper(() => 0, sink);
  const several = islands.length > 1;
  let hash: string | undefined;
  let cut: EventOf<'run.ended'> | undefined;
  let endMicros = 0;
  const inIsland = (event: TraceEvent): void => {
    if (event.t > endMicros) endMicros = event.t;
    if (event.type !== 'run.ended') return sink(event);
    if (!event.complete) cut ??= event;
    sink({ ...event, type: 'island.ended' });
  };
  try {
    for (const island of islands) {
      const plan = thinned(ways.plan(island));
      const sample = sampleOf(plan, island);
      const isFirst = hash === undefined;
      hash ??= hashOf(plan, islands);
      const [began, ...declared] = ways.declarations(plan, sample, hash);
      if (isFirst && began !== undefined) {
        header.say('plan', began);
        header.say('plan', crowd(options, islands, plan, sample));
      }
      if (several) header.say('plan', islandBegan(island, plan, sample));
      for (const event of declared) header.say('plan', event);
      progress(`island ${island.island} of ${island.of}: ${plan.topology.sites.length} sites`);
      const { seed } = island.options;
      const context = { seed, sink: several ? inIsland : sink, signal, progress, keep, sample };
      await chosen.lab.run(plan.topology, new PlanDirector(plan, seed), context);
    }
  } finally {
    const complete = cut === undefined && !signal.aborted;
    const why = signal.aborted ? 'interrupted' : (cut?.why ?? 'every island is over');
    if (several) sink({ t: endMicros, who: 'runner', n: 0, type: 'run.ended', complete, why });
  }
};

const crowd = ({ sites, clients }: Options, islands: readonly Island[], plan: Plan, sample: PlanSample) =>
  ({
    type: 'crowd.declared',
    islands: islands.length,
    sites,
    clients: sites * clients,
    stride: islands[0]?.stride ?? 1,
    wholeSites: plan.topology.sites.filter(({ name }) => sample.isWhole(name)).length,
  }) as const;

const islandBegan = ({ island, of, options }: Island, plan: Plan, sample: PlanSample) =>
  ({
    type: 'island.began',
    island,
    of,
    seed: seedText(options.seed),
    sites: plan.topology.sites.length,
    clients: options.sites * options.clients,
    told: sample.told,
  }) as const;
