/** While one user reads nothing, the others of the same session are served as if it were not there. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

/** A tunnel opened this shortly before the stalled user reads again proves nothing. */
const TIME_TO_SERVE_MICROS = 2_000_000;

type Stall = {
  readonly stalled: EventOf<'tunnel.stalled'>;
  readonly client: string;
  resumedAt: number | undefined;
};

class StalledAlone implements Judging {
  readonly #opened = new Map<number, EventOf<'tunnel.opened'>>();
  readonly #done = new Map<number, EventOf<'tunnel.done'>>();
  readonly #stalls = new Map<number, Stall>();
  readonly #analysis: Analysis;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'tunnel.opened':
        if (event.side === 'user') this.#opened.set(event.tunnel, event);
        return;
      case 'tunnel.done':
        if (event.side === 'user') this.#done.set(event.tunnel, event);
        return;
      case 'tunnel.stalled': {
        const client = this.#opened.get(event.tunnel)?.client ?? '';
        this.#stalls.set(event.tunnel, { stalled: event, client, resumedAt: undefined });
        return;
      }
      case 'tunnel.resumed': {
        const stall = this.#stalls.get(event.tunnel);
        if (stall !== undefined) stall.resumedAt = event.t;
      }
    }
  }

  findings(): readonly Finding[] {
    const tally = new Tally('PORT-MUX-2', 'whole answers while the other user reads nothing');
    for (const stall of this.#stalls.values()) this.#judge(stall, tally);
    return [
      tally.finding(
        (n) => `${count(n, 'user')} got whole answers while another one of the session read nothing`,
        (b, n) => `${b} of ${count(n, 'user')} had to wait for a user that read nothing`,
        'no user stalled long enough beside others',
      ),
    ];
  }

  #judge({ stalled, client, resumedAt }: Stall, tally: Tally): void {
    const until = resumedAt ?? stalled.t + stalled.forMillis * 1000;
    for (const opened of this.#opened.values()) {
      if (opened.client !== client || this.#stalls.has(opened.tunnel)) continue;
      if (opened.t < stalled.t || opened.t > until - TIME_TO_SERVE_MICROS) continue;
      const done = this.#done.get(opened.tunnel);
      // The trace was cut: what is still open may yet be served in time.
      if (done === undefined && this.#analysis.endMicros < until) continue;
      if (done !== undefined && done.t < until && done.gotEnd === 'fin' && done.received === opened.down)
        tally.good();
      else {
        const got =
          done === undefined ? 'nothing' : `${done.received} of ${opened.down} bytes, ${done.gotEnd}`;
        tally.bad(got, [
          proof(stalled, `tunnel ${stalled.tunnel} reads nothing`, false),
          proof(opened, `tunnel ${opened.tunnel} opens`, false),
          ...(done === undefined ? [] : [proof(done, `tunnel ${opened.tunnel}: ${got}`)]),
        ]);
      }
    }
  }
}

export const stalledAlone: Check = {
  name: 'stalled-alone',
  clauses: ['PORT-MUX-2'],
  start: (analysis) => new StalledAlone(analysis),
};
