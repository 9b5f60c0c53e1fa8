/** Both ends of every tunnel joined, and whether anything the lab did can excuse how it went. */

import type { Analysis } from '../../measure/analysis.ts';
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
  /** A client's loss or stop while the tunnel lived. */
  clientLeft: boolean;
};

/** A loss may be told a little after the connection it explains. */
const TELLING_MICROS = 1_000_000;
/** A link fault holds bytes, and lets them go afterwards. */
const LINK_AFTER_MICROS = 3_000_000;

type Window = { readonly site: string; readonly kind: string; readonly from: number; to: number };

export class TunnelBook {
  readonly tunnels = new Map<number, Tunnel>();
  readonly #analysis: Analysis;
  readonly #registered = new Map<string, number>();
  readonly #openOf = new Map<string, Set<Tunnel>>();
  readonly #left = new Map<string, number>();
  readonly #windows = new Map<number, Window>();

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
        this.#registered.set(event.who, event.t);
        return;
      case 'script.mark':
        this.#registered.set(event.who, event.t);
        return;
      case 'client.lost':
      case 'client.stopped':
        this.#left.set(event.who, event.t);
        for (const tunnel of this.#openOf.get(event.who) ?? []) tunnel.clientLeft = true;
        return;
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
      clientLeft: event.t - (this.#left.get(event.client) ?? Number.NEGATIVE_INFINITY) < TELLING_MICROS,
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

  /** Nothing the lab did can have touched it: then the relay owes everything. */
  undisturbed(tunnel: Tunnel): boolean {
    const { opened, user, probe } = tunnel;
    if (user === undefined || probe !== undefined || tunnel.clientLeft) return false;
    // Neither end came and it did not abort: the run itself was over.
    if (user.gotEnd === 'none' && user.sentEnd !== 'rst') return false;
    const site = this.siteOf(tunnel);
    for (const window of this.#windows.values()) {
      if (window.site !== '' && window.site !== site) continue;
      if (user.t < window.from) continue;
      // A silent death, and the loss of the relay, are over for a client only when it has registered anew.
      const stale =
        tunnel.registeredAt < window.from && (window.site === '' || window.kind.startsWith('nat'));
      const until = stale ? Number.POSITIVE_INFINITY : window.to;
      const after = window.kind.startsWith('link') ? LINK_AFTER_MICROS : 0;
      if (opened.t <= until + after) return false;
    }
    return opened.t > 0 && user.t <= this.#analysis.endMicros;
  }
}
