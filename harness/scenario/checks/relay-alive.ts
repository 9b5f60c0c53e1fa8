/** The relay process lives through the whole run, but for outages that the timeline made. */

import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

class Alive implements Judging {
  readonly #crashes: EventOf<'host.crashed'>[] = [];
  #events = 0;

  event(event: TraceEvent): void {
    if (event.type === 'host.crashed' && event.who === 'relay') this.#crashes.push(event);
    if (event.type === 'tunnel.opened' || event.type === 'client.dialing') this.#events++;
  }

  findings(): readonly Finding[] {
    const [first] = this.#crashes;
    return [
      {
        clause: 'PORT-LIVE-1',
        verdict: first !== undefined ? 'fail' : this.#events > 0 ? 'pass' : 'not-applicable',
        blame: first === undefined ? undefined : 'target',
        summary:
          first === undefined
            ? `the relay lived through ${this.#events} dials and tunnels`
            : `the relay ended by itself ${count(this.#crashes.length, 'time')}: ${first.reason}`,
        expected: 'a process that lives until it is told to stop',
        got: first?.reason ?? 'as expected',
        exercised: this.#events,
        broken: this.#crashes.length,
        evidence: this.#crashes.slice(0, 5).map((crash) => proof(crash, crash.reason)),
        ladder: [],
      },
    ];
  }
}

export const relayAlive: Check = { name: 'relay-alive', clauses: ['PORT-LIVE-1'], start: () => new Alive() };
