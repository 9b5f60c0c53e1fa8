/** Judges the islands of a trace one after the other, each as a run of its own, and says of all what holds for each. */
import type { Analysis } from '../measure/analysis.ts';
import { type CrowdFacts, crowdSum } from '../measure/crowd.ts';
import { Reorder } from '../trace/in-order.ts';
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import type { Judgement, Verdict } from '../verdict/verdict.ts';
import type { CheckName } from './checks/registry.ts';
import { Judge } from './judge.ts';

const WORST: readonly Verdict[] = ['fail', 'inconclusive', 'pass', 'not-applicable'];

/** What the islands say of one clause: of the worst word said the first who said it, and how many did. */
type Merged = { judgement: Judgement; island: number; said: number };

/** A world under judgement. */
type World = { readonly island: number; readonly judge: Judge; readonly reorder: Reorder };

export class IslandJudge {
  readonly #checks: readonly CheckName[];
  /** What was said before the first island holds for each of them. */
  readonly #header: readonly TraceEvent[];
  readonly #merged = new Map<string, Merged>();
  #world: World | undefined;
  #over = 0;
  #of = 0;
  #crowd: CrowdFacts | undefined;
  /** Of the island that is shown: the first, or the first that failed. */
  #shown: { readonly analysis: Analysis; readonly island: number; readonly failed: boolean } | undefined;

  constructor(checks: readonly CheckName[], header: readonly TraceEvent[]) {
    this.#checks = checks;
    this.#header = header;
  }

  event(event: TraceEvent): void {
    if (event.type === 'island.began') this.#begin(event);
    if (event.type === 'island.ended') this.#end({ ...event, type: 'run.ended' });
    else if (this.#world !== undefined) this.#world.reorder.push(event);
    else if (event.type === 'run.ended') this.#tail(event);
  }

  /** How many islands came to their end. */
  get over(): number {
    return this.#over;
  }

  /** Numbers of all islands together; undefined: none came to its end. */
  get crowd(): CrowdFacts | undefined {
    return this.#crowd;
  }

  /** The island that stands for all in drawings and tables; undefined: none began. */
  get analysis(): Analysis | undefined {
    return this.#shown?.analysis;
  }

  get shownIsland(): number {
    return this.#shown?.island ?? 0;
  }

  judgements(): readonly Judgement[] {
    return [...this.#merged.values()].map(({ judgement, island, said }) => {
      if (judgement.verdict === 'not-applicable' || this.#of === 1) return judgement;
      const where =
        said === this.#over ? `in each of ${said} islands` : `in ${said} of ${this.#over} islands`;
      return { ...judgement, summary: `${where}; island ${island}: ${judgement.summary}` };
    });
  }

  /** The trace stopped in the middle of an island: what was seen of it is judged, too. */
  finish(): void {
    if (this.#world !== undefined) this.#close(this.#world);
  }

  #begin(event: EventOf<'island.began'>): void {
    this.finish();
    this.#of = event.of;
    const judge = new Judge(this.#checks);
    const reorder = new Reorder((next) => judge.event(next));
    this.#world = { island: event.island, judge, reorder };
    for (const before of this.#header) reorder.push(before);
  }

  #end(event: EventOf<'run.ended'>): void {
    if (this.#world === undefined) return;
    this.#world.reorder.push(event);
    this.#close(this.#world);
  }

  /** The last word of the whole run is that of the island that is shown, so that a page says why it stopped. */
  #tail(event: EventOf<'run.ended'>): void {
    this.#shown?.analysis.facts.event(event);
  }

  #close({ island, judge, reorder }: World): void {
    this.#world = undefined;
    reorder.end();
    this.#over++;
    const { analysis } = judge;
    const ends = analysis.faults.outages.flatMap(({ toMicros }) => toMicros ?? []);
    this.#crowd = crowdSum(this.#crowd, analysis.crowd.facts(ends));
    const judgements = judge.judgements();
    const failed = judgements.some(({ verdict }) => verdict === 'fail');
    if (this.#shown === undefined || (failed && !this.#shown.failed))
      this.#shown = { analysis, island, failed };
    const times = new Map<string, number>();
    for (const judgement of judgements) {
      const nth = times.get(judgement.clause) ?? 0;
      times.set(judgement.clause, nth + 1);
      this.#merge(`${judgement.clause} ${nth}`, judgement, island);
    }
  }

  #merge(key: string, judgement: Judgement, island: number): void {
    const known = this.#merged.get(key);
    if (known === undefined) {
      this.#merged.set(key, { judgement, island, said: 1 });
      return;
    }
    const exercised = known.judgement.exercised + judgement.exercised;
    const broken = known.judgement.broken + judgement.broken;
    const [before, now] = [WORST.indexOf(known.judgement.verdict), WORST.indexOf(judgement.verdict)];
    if (now < before)
      this.#merged.set(key, { judgement: { ...judgement, exercised, broken }, island, said: 1 });
    else {
      known.judgement = { ...known.judgement, exercised, broken };
      if (now === before) known.said++;
    }
  }
}
