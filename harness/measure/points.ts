/** What became of every measurement point: made by an agent, told to be stored, found in the store. */
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import type { AgentFacts, FactsCollector } from './run-facts.ts';

/** Numbers of points, both ends included. */
export type PointRange = { readonly from: number; readonly to: number };

/** The points of one agent. */
export type PointsRow = {
  readonly agent: AgentFacts;
  /** Numbers 0 to `made` - 1 exist. */
  readonly made: number;
  /** Different ones that lie in the store. */
  readonly stored: number;
  /** Found there once more than once. */
  readonly repeated: number;
  /** Stored after a later one had been, but not for the first time missing. */
  readonly reordered: number;
  /** Found under this agent's name, and not made by it. */
  readonly foreign: number;
  /** Of those made, not in the store, in a row each; at most `RANGES_MAX` of them. */
  readonly missing: readonly PointRange[];
  readonly missingPoints: number;
  /** How many such rows there are. */
  readonly gaps: number;
  /** At the end of the trace, by the agent's own books. */
  readonly waiting: number;
  readonly acknowledged: number;
  readonly unconfirmed: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Points of an agent that codes none. */
  readonly counted: number;
  /** Connections and attempts that came to nothing. */
  readonly losses: number;
  /** Its books have not changed since the store was read: what is not there then is not on its way either. */
  readonly settled: boolean;
  /** What first went wrong, for people. */
  readonly firstWrong: Wrong | undefined;
};

export type Wrong = {
  readonly t: number;
  readonly who: string;
  readonly state: 'repeated' | 'reordered' | 'foreign';
  readonly text: string;
};

export type PointsTable = {
  /** In the order of declaration. */
  readonly rows: readonly PointsRow[];
  /** Stored under names that no declared agent has. */
  readonly strangers: number;
  /** The store was read to its end. Without it nothing can be said of what is missing. */
  readonly read: boolean;
};

const RANGES_MAX = 20;

/** Which numbers were seen, as ranges in order. Points come in order almost always, so there are few. */
class Seen {
  #ranges: { from: number; to: number }[] = [];
  count = 0;

  get last(): number {
    return this.#ranges.at(-1)?.to ?? -1;
  }

  /** @returns how many of them had been seen before */
  add({ from, to }: PointRange): number {
    const tail = this.#ranges.at(-1);
    if (tail === undefined || from > tail.to) {
      this.count += to - from + 1;
      if (tail !== undefined && from === tail.to + 1) tail.to = to;
      else this.#ranges.push({ from, to });
      return 0;
    }
    const before = this.count;
    const merged: { from: number; to: number }[] = [];
    let mine = { from, to };
    for (const range of this.#ranges) {
      if (range.to < mine.from - 1 || range.from > mine.to + 1) merged.push(range);
      else mine = { from: Math.min(mine.from, range.from), to: Math.max(mine.to, range.to) };
    }
    this.#ranges = [...merged, mine].sort((a, b) => a.from - b.from);
    this.count = this.#ranges.reduce((sum, range) => sum + range.to - range.from + 1, 0);
    return to - from + 1 - (this.count - before);
  }

  /** What of 0 to `made` - 1 was not seen. */
  gaps(made: number): readonly PointRange[] {
    const gaps: PointRange[] = [];
    let next = 0;
    for (const { from, to } of this.#ranges) {
      if (from > next) gaps.push({ from: next, to: Math.min(from, made) - 1 });
      next = to + 1;
    }
    if (next < made) gaps.push({ from: next, to: made - 1 });
    return gaps.filter(({ from, to }) => from <= to);
  }

  /** How many of them lie beyond what was made. */
  beyond(made: number): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, made) + 1), 0);
  }
}

type Draft = {
  readonly facts: AgentFacts;
  readonly seen: Seen;
  books: EventOf<'agent.books'> | undefined;
  repeated: number;
  reordered: number;
  foreign: number;
  counted: number;
  losses: number;
  settled: boolean;
  readonly dropped: Record<string, number>;
  firstWrong: Wrong | undefined;
};

export class PointsCollector {
  readonly #facts: FactsCollector;
  readonly #byWho = new Map<string, Draft>();
  readonly #byName = new Map<string, Draft>();
  #strangers = 0;
  #read = false;

  constructor(facts: FactsCollector) {
    this.#facts = facts;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'agent.declared': {
        const facts = this.#facts.agents.get(event.agent);
        if (facts !== undefined) this.#declare(facts);
        return;
      }
      case 'agent.books': {
        const draft = this.#byWho.get(event.who);
        if (draft === undefined) return;
        draft.books = event;
        draft.settled = false;
        return;
      }
      case 'agent.lost': {
        const draft = this.#byWho.get(event.who);
        if (draft !== undefined) draft.losses++;
        return;
      }
      case 'agent.dropped': {
        const draft = this.#byWho.get(event.who);
        if (draft !== undefined) draft.dropped[event.why] = (draft.dropped[event.why] ?? 0) + event.points;
        return;
      }
      case 'store.range':
        return this.#range(event);
      case 'store.foreign': {
        const draft = this.#byName.get(event.agent);
        if (draft === undefined) this.#strangers += event.points;
        else {
          draft.foreign += event.points;
          this.#wrong(draft, event, 'foreign', `${event.points} points: ${event.example}`);
        }
        return;
      }
      case 'store.count': {
        const draft = this.#byName.get(event.agent);
        if (draft === undefined) this.#strangers += event.points;
        else draft.counted = event.points;
        return;
      }
      case 'store.read':
        this.#read = true;
        for (const draft of this.#byWho.values()) draft.settled = true;
        return;
    }
  }

  #declare(facts: AgentFacts): void {
    const draft: Draft = {
      ...{ facts, seen: new Seen(), books: undefined, firstWrong: undefined, dropped: {} },
      ...{ repeated: 0, reordered: 0, foreign: 0, counted: 0, losses: 0, settled: false },
    };
    this.#byWho.set(facts.agent, draft);
    this.#byName.set(facts.name, draft);
  }

  #wrong(draft: Draft, { t, who }: TraceEvent, state: Wrong['state'], text: string): void {
    draft.firstWrong ??= { t, who, state, text };
  }

  #range(event: EventOf<'store.range'>): void {
    const draft = this.#byName.get(event.agent);
    const points = event.to - event.from + 1;
    if (draft === undefined) {
      this.#strangers += points;
      return;
    }
    const late = event.from <= draft.seen.last;
    const repeated = draft.seen.add(event);
    const words = `points ${event.from} to ${event.to}`;
    if (repeated > 0) {
      draft.repeated += repeated;
      this.#wrong(draft, event, 'repeated', `${words}: ${repeated} of them had been stored before`);
    }
    if (late && repeated < points) {
      draft.reordered += points - repeated;
      this.#wrong(draft, event, 'reordered', `${words} came after later ones`);
    }
  }

  table(): PointsTable {
    return {
      rows: [...this.#byWho.values()].map(rowOf),
      strangers: this.#strangers,
      read: this.#read,
    };
  }
}

const rowOf = (draft: Draft): PointsRow => {
  const { facts, seen, books, repeated, reordered, counted, losses, settled, dropped, firstWrong } = draft;
  const made = books?.made ?? 0;
  const beyond = seen.beyond(made);
  const gaps = seen.gaps(made);
  return {
    ...{
      agent: facts,
      made,
      stored: seen.count - beyond,
      repeated,
      reordered,
      counted,
      losses,
      settled,
      dropped,
    },
    // a number that the agent has not reached is nobody's
    foreign: draft.foreign + beyond,
    missing: gaps.slice(0, RANGES_MAX),
    gaps: gaps.length,
    missingPoints: gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    waiting: books?.waiting ?? 0,
    acknowledged: books?.acknowledged ?? 0,
    unconfirmed: books?.unconfirmed ?? 0,
    firstWrong,
  };
};
