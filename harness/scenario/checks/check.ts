/** What a check is: fed with every event of a trace in order, it says in the end what it found about its clauses. */

import type { Analysis } from '../../measure/analysis.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import type { Evidence, Finding, Step, Stretch } from '../../verdict/verdict.ts';

export interface Judging {
  event(event: TraceEvent): void;
  findings(): readonly Finding[];
}

export type Check = {
  readonly name: string;
  /** Every clause it may speak of. */
  readonly clauses: readonly string[];
  /** A fresh judge for one trace. `analysis` has seen each event before the judge does. */
  readonly start: (analysis: Analysis) => Judging;
};

const EVIDENCE_MAX = 5;

/** Collects how often one clause was exercised and broken, and keeps the first proofs. */
export class Tally {
  readonly clause: string;
  readonly expected: string;
  exercised = 0;
  broken = 0;
  #got = '';
  readonly #evidence: Evidence[] = [];
  #ladder: readonly Step[] = [];
  readonly #late: Stretch[] = [];

  constructor(clause: string, expected: string) {
    this.clause = clause;
    this.expected = expected;
  }

  good(): void {
    this.exercised++;
  }

  /**
   * @param got what came instead, of the first one
   * @param late how long it was waited for, where nothing but its not coming in time is wrong
   */
  bad(got: string, evidence: readonly Evidence[], ladder: readonly Step[] = [], late?: Stretch): void {
    this.exercised++;
    this.broken++;
    if (late !== undefined) this.#late.push(late);
    if (this.broken === 1) {
      this.#got = got;
      this.#ladder = ladder;
    }
    if (this.#evidence.length < EVIDENCE_MAX) this.#evidence.push(...evidence);
  }

  /**
   * @param pass the claim when nothing broke, `n` the number exercised
   * @param fail the claim when something did
   */
  finding(pass: (n: number) => string, fail: (broken: number, of: number) => string, none: string): Finding {
    const { clause, expected, exercised, broken } = this;
    const common = { clause, expected, exercised, broken, evidence: this.#evidence, ladder: this.#ladder };
    if (exercised === 0)
      return { ...common, verdict: 'not-applicable', blame: undefined, summary: none, got: '' };
    if (broken === 0)
      return { ...common, verdict: 'pass', blame: undefined, summary: pass(exercised), got: 'as expected' };
    const failed = { ...common, blame: 'target', summary: fail(broken, exercised), got: this.#got } as const;
    const late = this.#late.length === broken ? { late: this.#late } : {};
    return { ...failed, ...late, verdict: 'fail' };
  }
}

/** An event as a piece of evidence. */
export const proof = (event: TraceEvent, text: string, here = true): Evidence => ({
  t: event.t,
  who: event.who,
  text,
  hex: 'hex' in event && event.hex !== '' ? event.hex.slice(0, 128) : undefined,
  here,
});

/** `1 tunnel`, `2 tunnels`. */
export const count = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;
