/** Everything the plan wanted to show had its turn: a step that never came proves nothing, and must not pass for one that did. */
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

const SHOWN_MAX = 5;

class PlanKept implements Judging {
  readonly #unmet: EventOf<'step.unmet'>[] = [];
  #ended = false;

  event(event: TraceEvent): void {
    if (event.type === 'step.unmet') this.#unmet.push(event);
    else if (event.type === 'run.ended') this.#ended = event.complete;
  }

  findings(): readonly Finding[] {
    const [first] = this.#unmet;
    const verdict = first !== undefined ? 'inconclusive' : this.#ended ? 'pass' : 'not-applicable';
    return [
      {
        clause: 'PLAN-1',
        verdict,
        blame: first === undefined ? undefined : 'harness',
        summary:
          first === undefined
            ? this.#ended
              ? 'every step of the timeline had its turn'
              : 'the run was cut before its timeline was over'
            : `${count(this.#unmet.length, 'step')} of the timeline never had a turn: ${first.step} ${first.why}`,
        expected: 'every step that shows something is carried out',
        got: first === undefined ? 'as expected' : `${first.step}: ${first.why}`,
        exercised: 1,
        broken: this.#unmet.length,
        evidence: this.#unmet.slice(0, SHOWN_MAX).map((event) => proof(event, `${event.step}: ${event.why}`)),
        ladder: [],
      },
    ];
  }
}

/** Judged in every run, whatever checks a scenario names. */
export const planKept: Check = { name: 'plan-kept', clauses: ['PLAN-1'], start: () => new PlanKept() };
