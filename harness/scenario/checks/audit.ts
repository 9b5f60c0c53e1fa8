/** What the relay process holds, before and after. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, type Judging, proof } from './check.ts';

/** Descriptors a process may open for itself meanwhile (a timer, a log). */
const FDS_SLACK = 4;
/** Pools refill one by one, so this share of the pooled connections may be on its way. */
const REFILL_SHARE = 0.05;
const ROUNDS_MIN = 5;
/** Declared bound of growth over the rounds of one run. */
const RSS_GROWTH_BYTES = 64 * 1024 * 1024;

class AuditJudge implements Judging {
  readonly #analysis: Analysis;
  readonly #audits: EventOf<'audit.relay'>[] = [];
  readonly #registered = new Set<string>();
  #before: { readonly books: EventOf<'audit.relay'>; readonly registered: number } | undefined;
  #after: { readonly books: EventOf<'audit.relay'>; readonly registered: number } | undefined;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
        this.#registered.add(event.who);
        return;
      case 'client.lost':
      case 'client.stopped':
        this.#registered.delete(event.who);
        return;
      case 'audit.relay': {
        const now = { books: event, registered: this.#registered.size };
        if (event.moment === 'before') this.#before = now;
        else if (event.moment === 'after') this.#after = now;
        this.#audits.push(event);
      }
    }
  }

  findings(): readonly Finding[] {
    return [this.#descriptors(), this.#ports(), this.#memory()];
  }

  #descriptors(): Finding {
    const [before, after] = [this.#before, this.#after];
    const base = {
      clause: 'AUDIT-FD-1',
      ladder: [],
      expected: 'as many descriptors as before, by the clients registered',
    };
    if (
      before === undefined ||
      after === undefined ||
      before.books.fds < 0 ||
      after.books.fds < 0 ||
      before.registered === 0
    )
      return { ...base, ...unknown('the relay process cannot be read from outside here') };
    const per = before.books.fds / before.registered;
    const allowed = Math.ceil(per * after.registered + FDS_SLACK + before.books.fds * REFILL_SHARE);
    const good = after.books.fds <= allowed;
    const got = `${after.books.fds} with ${after.registered} clients, after ${before.books.fds} with ${before.registered}`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: good ? `descriptors: ${got}` : `the relay keeps descriptors: ${got}`,
      got,
      exercised: 1,
      broken: good ? 0 : 1,
      evidence: [
        proof(before.books, `${before.books.fds} descriptors`, false),
        proof(after.books, `${after.books.fds} descriptors`, !good),
      ],
    };
  }

  #ports(): Finding {
    const after = this.#after;
    const base = {
      clause: 'AUDIT-PORT-1',
      ladder: [],
      expected: 'one listening port a registration, and the control port',
    };
    if (after === undefined || after.books.listening < 0)
      return { ...base, ...unknown('listening ports cannot be read from outside here') };
    const scripts =
      this.#analysis.facts.clientByWho.size === 0
        ? 0
        : this.#before === undefined
          ? 0
          : Math.max(0, this.#before.books.listening - this.#before.registered - 1);
    const allowed = after.registered + 1 + scripts + FDS_SLACK;
    const good = after.books.listening <= allowed;
    const got = `${after.books.listening} listening with ${after.registered} registered`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: good ? `ports: ${got}` : `the relay keeps ports open: ${got}`,
      got,
      exercised: 1,
      broken: good ? 0 : 1,
      evidence: [proof(after.books, got, !good)],
    };
  }

  #memory(): Finding {
    const base = {
      clause: 'AUDIT-RSS-1',
      ladder: [],
      evidence: [],
      expected: `no steady growth beyond ${RSS_GROWTH_BYTES / 1024 / 1024} MiB over ${ROUNDS_MIN} rounds`,
    };
    const rounds = this.#audits
      .filter(({ rssBytes, moment }) => rssBytes >= 0 && moment !== 'after')
      .map(({ rssBytes }) => rssBytes);
    const [first] = rounds;
    if (first === undefined || rounds.length < ROUNDS_MIN)
      return { ...base, ...unknown('resident memory was not read often enough') };
    const rising = rounds.every((rss, i) => i === 0 || rss >= (rounds[i - 1] ?? 0));
    const growth = (rounds.at(-1) ?? first) - first;
    const good = !rising || growth <= RSS_GROWTH_BYTES;
    const got = `${(first / 1e6).toFixed(0)} to ${((rounds.at(-1) ?? 0) / 1e6).toFixed(0)} MB over ${rounds.length} rounds`;
    return {
      ...base,
      verdict: good ? 'pass' : 'fail',
      blame: good ? undefined : 'target',
      summary: `memory: ${got}`,
      got,
      exercised: rounds.length,
      broken: good ? 0 : 1,
    };
  }
}

const unknown = (summary: string) =>
  ({
    verdict: 'not-applicable',
    blame: undefined,
    summary,
    got: '',
    exercised: 0,
    broken: 0,
    evidence: [],
  }) as const;

export const audit: Check = {
  name: 'audit',
  clauses: ['AUDIT-FD-1', 'AUDIT-PORT-1', 'AUDIT-RSS-1'],
  start: (analysis) => new AuditJudge(analysis),
};
