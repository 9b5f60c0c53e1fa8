/** Both ends of every tunnel joined, and whether anything the lab did can excuse how it went. */

import type { EventOf, TraceEvent } from '../../trace/trace.ts';

export type Tunnel = {
  readonly opened: EventOf<'tunnel.opened'>;
  connected: EventOf<'tunnel.connected'> | undefined;
  firstByte: EventOf<'tunnel.firstByte'> | undefined;
  served: EventOf<'tunnel.opened'> | undefined;
  user: EventOf<'tunnel.done'> | undefined;
  service: EventOf<'tunnel.done'> | undefined;
  /** When its client registered last before it. */
  readonly registeredAt: number;
  probe: EventOf<'probe.declared'> | undefined;
  /** When its client was lost or stopped, if that was while the tunnel lived. */
  leftAt: number | undefined;
  /** The ledger found bytes in it that do not belong there, or a hole: then it is the ledger's matter. */
  misread: boolean;
};

/** A loss may be told a little after the connection it explains. */
const TELLING_MICROS = 1_000_000;
/** A link fault holds bytes, and lets them go afterwards. */
const LINK_AFTER_MICROS = 3_000_000;

type Window = { readonly site: string; readonly kind: string; readonly from: number; to: number };

export class TunnelBook {
  readonly tunnels = new Map<number, Tunnel>();
  readonly #registered = new Map<string, number>();
  readonly #openOf = new Map<string, Set<Tunnel>>();
  readonly #left = new Map<string, number>();
  readonly #windows = new Map<number, Window>();

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
      case 'script.mark':
        this.#registered.set(event.who, event.t);
        return;
      case 'client.lost':
      case 'client.stopped':
        this.#left.set(event.who, event.t);
        for (const tunnel of this.#openOf.get(event.who) ?? []) tunnel.leftAt ??= event.t;
        return;
      case 'client.tunnel':
        this.#joined(event);
        return;
      case 'ledger.span': {
        const tunnel = this.tunnels.get(event.tunnel);
        if (tunnel !== undefined) tunnel.misread = true;
        else this.#misread.add(event.tunnel);
        return;
      }
      case 'tunnel.opened':
        return this.#opened(event);
      case 'tunnel.connected':
      case 'tunnel.firstByte': {
        const tunnel = this.tunnels.get(event.tunnel);
        if (tunnel === undefined) return;
        if (event.type === 'tunnel.connected') tunnel.connected = event;
        else if (event.side === 'user') tunnel.firstByte = event;
        return;
      }
      case 'tunnel.done':
        return this.#done(event);
      case 'probe.declared': {
        const tunnel = this.tunnels.get(event.tunnel);
        if (tunnel !== undefined) tunnel.probe = event;
        else this.#probes.set(event.tunnel, event);
        return;
      }
      case 'host.crashed':
        // The crash itself is judged elsewhere; what it cut is not judged a second time.
        if (event.who === 'relay')
          this.#windows.set(-1 - this.#windows.size, {
            site: '',
            kind: 'crash',
            from: event.t - TELLING_MICROS,
            to: Number.POSITIVE_INFINITY,
          });
        return;
      case 'host.ready':
        if (event.who === 'relay')
          for (const window of this.#windows.values())
            if (window.kind === 'crash' && window.to > event.t) window.to = event.t;
        return;
      case 'fault.begun':
        this.#windows.set(event.fault, {
          site: event.site,
          kind: event.kind,
          from: event.t,
          to: Number.POSITIVE_INFINITY,
        });
        return;
      case 'fault.ended': {
        const window = this.#windows.get(event.fault);
        if (window !== undefined) window.to = event.t;
        return;
      }
    }
  }

  /** A probe may be declared before its tunnel is opened: the order between hosts is not judged. */
  readonly #probes = new Map<number, EventOf<'probe.declared'>>();
  readonly #served = new Map<number, EventOf<'tunnel.opened'>>();
  readonly #misread = new Set<number>();
  /** When each client joined a connection with its service. */
  readonly #joins = new Map<string, number[]>();

  #opened(event: EventOf<'tunnel.opened'>): void {
    const known = this.tunnels.get(event.tunnel);
    if (event.side === 'service') {
      if (known === undefined) this.#served.set(event.tunnel, event);
      else known.served = event;
      return;
    }
    const tunnel: Tunnel = {
      opened: event,
      connected: undefined,
      firstByte: undefined,
      served: this.#served.get(event.tunnel),
      user: undefined,
      service: undefined,
      registeredAt: this.#registered.get(event.client) ?? 0,
      probe: this.#probes.get(event.tunnel),
      leftAt: this.#leftLately(event),
      misread: this.#misread.has(event.tunnel),
    };
    this.tunnels.set(event.tunnel, tunnel);
    const open = this.#openOf.get(event.client) ?? new Set();
    this.#openOf.set(event.client, open.add(tunnel));
  }

  #done(event: EventOf<'tunnel.done'>): void {
    const tunnel = this.tunnels.get(event.tunnel);
    if (tunnel === undefined) return;
    if (event.side === 'service') {
      tunnel.service = event;
      return;
    }
    tunnel.user = event;
    // Kept a little longer: a loss that explains this end may be told after it.
    const open = this.#openOf.get(tunnel.opened.client);
    if (open === undefined) return;
    for (const other of open)
      if (other.user !== undefined && event.t - other.user.t > TELLING_MICROS) open.delete(other);
  }

  siteOf(tunnel: Tunnel): string {
    const { client } = tunnel.opened;
    return client.slice(0, client.indexOf('/'));
  }

  #joined(event: EventOf<'client.tunnel'>): void {
    const joins = this.#joins.get(event.who);
    if (joins === undefined) this.#joins.set(event.who, [event.t]);
    else joins.push(event.t);
  }

  #leftLately(event: EventOf<'tunnel.opened'>): number | undefined {
    const left = this.#left.get(event.client);
    return left !== undefined && event.t - left < TELLING_MICROS ? left : undefined;
  }

  /** Nothing the lab did can have touched it: then the relay owes everything. */
  undisturbed(tunnel: Tunnel): boolean {
    const { user, probe } = tunnel;
    if (user === undefined || probe !== undefined) return false;
    // Neither end came and it did not abort: the run itself was over.
    if (user.gotEnd === 'none' && user.sentEnd !== 'rst') return false;
    return this.quietUntil(tunnel, user.t) === user.t;
  }

  /** Until when nothing the lab did can have touched it, at most `until`; -Infinity: it was touched from the start. */
  quietUntil(tunnel: Tunnel, until: number): number {
    const { opened, leftAt } = tunnel;
    const site = this.siteOf(tunnel);
    let quiet = leftAt === undefined ? until : Number.NEGATIVE_INFINITY;
    for (const window of this.#windows.values()) {
      if (window.site !== '' && window.site !== site) continue;
      // A silent death, and the loss of the relay, are over for a client only when it has registered anew.
      const stale =
        tunnel.registeredAt < window.from && (window.site === '' || window.kind.startsWith('nat'));
      const after = window.kind.startsWith('link') ? LINK_AFTER_MICROS : 0;
      const over = stale ? Number.POSITIVE_INFINITY : window.to + after;
      if (opened.t > over) continue;
      quiet = window.from <= opened.t ? Number.NEGATIVE_INFINITY : Math.min(quiet, window.from);
    }
    return quiet;
  }

  /** How often this client said that it joined a connection with its service; 0: it never says so. */
  joinsOf(client: string): number {
    return this.#joins.get(client)?.length ?? 0;
  }

  /**
   * Its client joined a connection with the service while this user, whom no service saw, was there: then the two were brought
   * together, and the user's first bytes were lost on the way.
   */
  joinedInVain(tunnel: Tunnel, until: number): boolean {
    const { opened } = tunnel;
    const during = (t: number): boolean => t >= opened.t && t <= until;
    const joins = (this.#joins.get(opened.client) ?? []).filter(during).length;
    let served = 0;
    for (const other of this.tunnels.values())
      if (other.opened.client === opened.client && other.served !== undefined && during(other.served.t))
        served++;
    return joins > served;
  }
}
