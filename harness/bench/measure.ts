/** One thing that is measured for several contenders, in rounds: each takes its turn in every round, in an order drawn anew. */
import type { Rng } from '../../reference-impl/machine/rng.ts';
import { Helper } from './children.ts';
import type { Contender, Running } from './contenders.ts';
import type { LoadRequest } from './programs/load.ts';
import type { ServiceRequest } from './programs/service.ts';
import { type Estimate, estimate, median } from './statistics.ts';

/** What one turn of one contender gave: the figure that is compared, and what is told beside it. */
export type Sample = { readonly value: number; readonly beside: Readonly<Record<string, number>> };

/** The programs at both ends of whatever is measured. */
export type Ends = {
  readonly service: Helper<ServiceRequest>;
  readonly load: Helper<LoadRequest>;
  /** Users in the background, where a measurement wants some. */
  readonly crowd: Helper<LoadRequest>;
};

export type Measure = {
  readonly id: string;
  readonly title: string;
  /** What the figures are, and under which conditions. */
  readonly words: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly contenders: readonly Contender[];
  /** Why somebody takes no part. */
  readonly absent: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Contenders start anew for every turn. */
  readonly afresh?: boolean;
  /** @param share 0 to 1: how much of a turn this is; the turn that warms up is a small one */
  turn(running: Running, ends: Ends, share: number): Promise<Sample>;
};

/** All turns of one contender. */
export type Row = {
  readonly name: string;
  readonly own: boolean;
  /** By round; null: that turn failed. */
  readonly values: readonly (number | null)[];
  readonly estimate: Estimate;
  /** CPU time by round, for the same work; null where a turn failed or nothing is told of it. */
  readonly costs: readonly (number | null)[];
  /** Medians of what is told beside the figure. */
  readonly beside: Readonly<Record<string, number>>;
  /** The same by round, for goals that are about it. */
  readonly besides?: readonly (Sample['beside'] | null)[];
  readonly failed: number;
  /** The last failure, or why there is no figure. */
  readonly why: string | undefined;
};

/** A measure with its figures. */
export type Measured = Pick<Measure, 'id' | 'title' | 'words' | 'unit' | 'better'> & {
  readonly rows: readonly Row[];
};

const WARM_UP_SHARE = 0.25;
/** A contender that fails this often takes no part any more: some rounds wait a minute for one that hangs. */
const FAILURES_MAX = 3;

/** Contenders that are up, shared by the measures of one bench. */
export class Stage {
  readonly ends: Ends = {
    service: new Helper<ServiceRequest>('service.ts'),
    load: new Helper<LoadRequest>('load.ts'),
    crowd: new Helper<LoadRequest>('load.ts'),
  };
  readonly #running = new Map<string, Running>();

  async running(contender: Contender): Promise<Running> {
    const up = this.#running.get(contender.name);
    if (up !== undefined) return up;
    const running = await contender.start(this.ends.service);
    this.#running.set(contender.name, running);
    return running;
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    await running?.stop();
  }

  async stopAll(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.stop(name);
  }

  /** The end of the bench. */
  async close(): Promise<void> {
    await this.stopAll();
    for (const end of Object.values(this.ends)) end.stop();
  }
}

const shuffled = <Item>(items: readonly Item[], rng: Rng): readonly Item[] => {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j] as Item, order[i] as Item];
  }
  return order;
};

type Turns = { readonly samples: (Sample | undefined)[]; failed: number; why: string | undefined };

/** Runs all rounds. @param say told of every turn, for progress */
export const measured = async (
  measure: Measure,
  stage: Stage,
  rng: Rng,
  say: (line: string) => void,
): Promise<Measured> => {
  const turns = new Map<Contender, Turns>();
  for (const contender of measure.contenders)
    turns.set(contender, { samples: [], failed: 0, why: undefined });
  const take = async (contender: Contender, share: number): Promise<Sample | undefined> => {
    const own = turns.get(contender) as Turns;
    if (own.failed >= FAILURES_MAX) return undefined;
    try {
      const running = await stage.running(contender);
      const sample = await measure.turn(running, stage.ends, share);
      if (measure.afresh === true) await stage.stop(contender.name);
      return sample;
    } catch (error) {
      own.failed++;
      own.why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      say(`${contender.name}: ${own.why}`);
      await stage.stop(contender.name).catch(() => {});
      return undefined;
    }
  };
  if (measure.afresh !== true)
    for (const contender of measure.contenders) await take(contender, WARM_UP_SHARE);
  for (let round = 0; round < measure.rounds; round++) {
    for (const contender of shuffled(measure.contenders, rng)) {
      const sample = await take(contender, 1);
      (turns.get(contender) as Turns).samples[round] = sample;
    }
  }
  const { id, title, words, unit, better, absent } = measure;
  const rows = [...turns].map(([{ name, own }, taken]) => rowOf(name, own, taken));
  for (const [name, why] of Object.entries(absent))
    rows.push(rowOf(name, false, { samples: [], failed: 0, why }));
  return { id, title, words, unit, better, rows };
};

const rowOf = (name: string, own: boolean, { samples, failed, why }: Turns): Row => {
  const beside: Record<string, number> = {};
  for (const key of Object.keys(samples.find((sample) => sample !== undefined)?.beside ?? {}))
    beside[key] = median(samples.flatMap((sample) => sample?.beside[key] ?? []));
  const values = samples.map((sample) => sample?.value ?? null);
  const cost = Object.keys(beside).find((key) => key.startsWith('CPU'));
  const costs = samples.map((sample) => (cost === undefined ? null : (sample?.beside[cost] ?? null)));
  return {
    name,
    own,
    values,
    estimate: estimate(values.flatMap((value) => value ?? [])),
    costs,
    beside,
    besides: samples.map((sample) => sample?.beside ?? null),
    failed,
    why,
  };
};
