/** Tunnels by key: every message accounted for at both ends, and half tunnels that are ended in time. */
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

const LATE_MILLIS = 2_500;

type Done = EventOf<'identity.done'>;

class Tunnels implements Judging {
  readonly #deaf = new Set<string>();
  readonly #halfMillis = new Map<string, number>();
  readonly #ends = new Map<number, { connector?: Done; acceptor?: Done }>();
  #last: TraceEvent | undefined;
  readonly #ledger = new Tally('IDLAB-LEDGER-1', 'every message once, unchanged and in order, and its echo');
  readonly #half = new Tally('IDLAB-HALF-1', 'ended when the time is over, and not before');

  event(event: TraceEvent): void {
    if (event.type === 'identity.declared') {
      if (event.role === 'deaf') this.#deaf.add(event.key);
      this.#halfMillis.set(event.who, event.halfTunnelMillis);
    }
    if (event.type !== 'identity.done') return;
    this.#last = event;
    if (this.#deaf.has(event.to)) this.#halfTunnel(event);
    // an acceptor that heard nothing knows of no tunnel
    if (!event.opened || event.tunnel === 0) return;
    const ends = this.#ends.get(event.tunnel) ?? {};
    this.#ends.set(event.tunnel, { ...ends, [event.side]: event });
  }

  #halfTunnel(event: Done): void {
    const limit = this.#halfMillis.get(event.who) ?? 0;
    // its own word, the relay's restart, or nobody listens yet: not what is asked here
    if (event.why !== 'refused' && event.why !== 'left') return;
    const { askedMillis: millis, opened } = event;
    if (opened) this.#half.bad('a tunnel', [proof(event, 'a node that never answers has a tunnel')]);
    else if (millis >= limit && millis <= limit + LATE_MILLIS) this.#half.good();
    else if (millis >= limit) this.#half.bad(`${millis} ms`, [proof(event, `ended after ${millis} ms`)]);
    // a second call while the first is still there, or a listener that is away, is turned away at once
  }

  #judge({ connector, acceptor }: { connector?: Done; acceptor?: Done }): void {
    for (const end of [connector, acceptor])
      if (end !== undefined && end.wrong > 0)
        return this.#ledger.bad(`${end.wrong} wrong messages`, [
          proof(
            end,
            `tunnel ${end.tunnel}: ${end.wrong} of ${end.received} messages are not what must come next`,
          ),
        ]);
    // the end of one that is cut with the run is not told
    if (connector === undefined || acceptor === undefined) return;
    const lost = connector.done
      ? acceptor.received !== connector.sent || connector.received !== acceptor.sent
      : acceptor.received > connector.sent || connector.received > acceptor.sent;
    if (!lost) return this.#ledger.good();
    this.#ledger.bad(`${acceptor.received} of ${connector.sent} messages, ${connector.received} echoes`, [
      proof(connector, `tunnel ${connector.tunnel}: ${connector.sent} sent, ${connector.received} came back`),
      proof(acceptor, `${acceptor.received} came, ${acceptor.sent} were sent back`),
    ]);
  }

  findings(): readonly Finding[] {
    for (const ends of this.#ends.values()) this.#judge(ends);
    return [
      this.#ledger.finding(
        (n) => `${count(n, 'tunnel')} carried every message and every echo`,
        (broken, of) => `${broken} of ${of} tunnels lost or changed messages`,
        this.#last === undefined ? 'no tunnel was opened' : 'no tunnel was seen at both ends',
      ),
      this.#half.finding(
        (n) => `${count(n, 'half tunnel')} ended in time`,
        (broken, of) => `${broken} of ${of} half tunnels did not end in time`,
        'nobody waited for a node that does not answer',
      ),
    ];
  }
}

export const identityTunnels: Check = {
  name: 'identity-tunnels',
  clauses: ['IDLAB-LEDGER-1', 'IDLAB-HALF-1'],
  start: () => new Tunnels(),
};
