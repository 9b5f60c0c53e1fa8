/** The measurement server lives, and pushes back when it cannot keep up. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

class Server implements Judging {
  readonly #analysis: Analysis;
  readonly #servers = new Set<string>();
  readonly #crashes: EventOf<'host.crashed'>[] = [];
  /** Ended or cut off for no other reason than that the store was busy. */
  readonly #cut: EventOf<'agent.lost'>[] = [];
  #batches = 0;
  /** Points of agents that do not tell what they send. */
  readonly #counted = new Map<string, number>();
  /** Most at one time. */
  #held = 0;
  #undelivered = 0;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'server.declared':
        this.#servers.add(event.server);
        return;
      case 'host.crashed':
        if (this.#servers.has(event.who)) this.#crashes.push(event);
        return;
      case 'agent.sent':
        this.#batches++;
        return;
      case 'store.count':
        this.#counted.set(event.agent, event.points);
        return;
      case 'agent.lost':
        if (event.why === 'no acknowledgement' || event.why === 'stalled') this.#cut.push(event);
        return;
      case 'ingest.books':
        this.#held = Math.max(this.#held, event.held);
        this.#undelivered = Math.max(this.#undelivered, event.undelivered);
        return;
    }
  }

  #lives(): Finding {
    const [first] = this.#crashes;
    const counted = [...this.#counted.values()].reduce((sum, points) => sum + points, 0);
    const lived =
      this.#batches > 0 || counted === 0 ? `${this.#batches} batches` : count(counted, 'stored point');
    return {
      clause: 'MEAS-LIVE-1',
      verdict: first !== undefined ? 'fail' : this.#batches + counted > 0 ? 'pass' : 'not-applicable',
      blame: first === undefined ? undefined : 'target',
      summary:
        first === undefined
          ? `the measurement server lived through ${lived}`
          : `the measurement server ended by itself ${count(this.#crashes.length, 'time')}: ${first.reason}`,
      expected: 'a server that lives until it is told to stop',
      got: first?.reason ?? 'as expected',
      exercised: this.#batches + counted,
      broken: this.#crashes.length,
      evidence: this.#crashes.slice(0, 5).map((crash) => proof(crash, crash.reason)),
      ladder: [],
    };
  }

  /** A fault that holds up acknowledgements is no busy store. */
  #flows(): Finding {
    const faulty = this.#analysis.faults.rows().length > 0;
    const cut = faulty ? [] : this.#cut;
    const [first] = cut;
    return {
      clause: 'MEAS-FLOW-1',
      verdict: this.#held === 0 ? 'not-applicable' : first === undefined ? 'pass' : 'fail',
      blame: first === undefined || this.#held === 0 ? undefined : 'target',
      summary:
        this.#held === 0
          ? 'the server kept up with everything'
          : first === undefined
            ? `the server left ${count(this.#held, 'connection')} unread at a time and held at most ${count(this.#undelivered, 'point')} that were not stored`
            : `${count(cut.length, 'connection')} ended because the store was busy`,
      expected: 'connections that wait, and live',
      got: first === undefined ? 'as expected' : `${first.who}: ${first.why}`,
      exercised: this.#held,
      broken: this.#held === 0 ? 0 : cut.length,
      evidence: cut.slice(0, 5).map((event) => proof(event, event.why)),
      ladder: [],
    };
  }

  findings(): readonly Finding[] {
    return [this.#lives(), this.#flows()];
  }
}

export const measurementServer: Check = {
  name: 'measurement-server',
  clauses: ['MEAS-LIVE-1', 'MEAS-FLOW-1'],
  start: (analysis) => new Server(analysis),
};
