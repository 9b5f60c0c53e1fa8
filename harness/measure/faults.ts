import type { EventOf, TraceEvent } from '../trace/trace.ts';

/** One fault of the timeline, with its proof and what it cost. */
export type FaultRow = {
  /** 1..n in the order of the timeline. */
  readonly fault: number;
  readonly kind: string;
  /** '' for the relay. */
  readonly site: string;
  readonly text: string;
  readonly beganMicros: number;
  readonly endedMicros: number | undefined;
  /** undefined: no receipt came at all. */
  readonly receipt: { readonly effects: number; readonly text: string } | undefined;
  /** A receipt with at least one effect, of a kind that does what it declares: only then does the fault prove anything. */
  readonly proved: boolean;
  /** Clients that lost their path to it, and how many of them were back at the end. */
  readonly clientsLost: number;
  readonly clientsBack: number;
  /** When the last of them was back; undefined: nobody lost a path, or not all came back. */
  readonly allBackMicros: number | undefined;
  /** From the fault, or after an outage from the moment the relay was ready again, until all were back. */
  readonly backAfterMicros: number | undefined;
  readonly countedFrom: 'fault' | 'relay ready';
};

/** A stretch in which a server was not there. `toMicros` undefined: it never came back in this trace. */
export type Outage = {
  /** `relay`, or the name of another server. */
  readonly server: string;
  /** The fault that did it; 0: it crashed by itself. */
  readonly fault: number;
  readonly fromMicros: number;
  readonly toMicros: number | undefined;
};

const AWAY = /outage|kill|crash|restart/;

type Draft = {
  readonly begun: EventOf<'fault.begun'>;
  endedMicros: number | undefined;
  receipt: EventOf<'fault.receipt'> | undefined;
  readonly lost: Set<string>;
  readonly pending: Set<string>;
  lastBackMicros: number;
};

/** Joins faults with their receipts, with the relay's absence and with the clients that lost and found their way. */
export class FaultsCollector {
  readonly #drafts: Draft[] = [];
  readonly #byNumber = new Map<number, Draft>();
  /** The fault that a loss at this site (or anywhere: '') is put down to. */
  readonly #latest = new Map<string, Draft>();
  /** Kinds of link faults that do not do here what they declare, and why. */
  readonly #distrusted = new Map<string, string>();
  readonly #outages: { -readonly [key in keyof Outage]: Outage[key] }[] = [];
  /** Servers besides the relay. */
  readonly #servers = new Set<string>();

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'fault.begun': {
        const draft: Draft = {
          begun: event,
          endedMicros: undefined,
          receipt: undefined,
          lost: new Set(),
          pending: new Set(),
          lastBackMicros: 0,
        };
        this.#drafts.push(draft);
        this.#byNumber.set(event.fault, draft);
        this.#latest.set(event.site, draft);
        const server = event.site === '' ? 'relay' : event.site;
        if (AWAY.test(event.kind) && this.#isServer(server)) this.#gone(server, event.fault, event.t);
        return;
      }
      case 'server.declared':
        this.#servers.add(event.server);
        return;
      case 'link.trusted':
        if (event.standing === 'off') this.#distrusted.set(event.kind, `${event.effect}: ${event.text}`);
        return;
      case 'fault.ended': {
        const draft = this.#byNumber.get(event.fault);
        if (draft === undefined) return;
        draft.endedMicros = event.t;
        const outage = this.#outages.findLast(({ fault }) => fault === event.fault);
        if (outage !== undefined) outage.toMicros ??= event.t;
        return;
      }
      case 'fault.receipt': {
        const draft = this.#byNumber.get(event.fault);
        if (draft !== undefined) draft.receipt = event;
        return;
      }
      case 'host.crashed':
        if (this.#isServer(event.who) && !this.#isAway(event.who)) this.#gone(event.who, 0, event.t);
        return;
      case 'host.ready': {
        const outage = this.#isServer(event.who) ? this.#last(event.who) : undefined;
        if (outage !== undefined) outage.toMicros ??= event.t;
        return;
      }
    }
  }

  #isServer(who: string): boolean {
    return who === 'relay' || this.#servers.has(who);
  }

  #isAway(server: string): boolean {
    const last = this.#last(server);
    return last !== undefined && last.toMicros === undefined;
  }

  #last(server: string): { toMicros: number | undefined } | undefined {
    return this.#outages.findLast((outage) => outage.server === server);
  }

  #gone(server: string, fault: number, fromMicros: number): void {
    this.#outages.push({ server, fault, fromMicros, toMicros: undefined });
  }

  /** The last fault of the relay that already began; used to date the death of a path. */
  relayFaultMicros(): number | undefined {
    const draft = this.#latest.get('');
    return draft?.begun.t;
  }

  /** A client lost its path. @returns the number of the fault it is put down to; 0: none */
  lost(client: string, site: string, t: number, connectedSince: number): number {
    const mine = this.#latest.get(site);
    const relays = this.#latest.get('');
    const draft =
      mine === undefined || (relays !== undefined && relays.begun.t > mine.begun.t) ? relays : mine;
    if (draft === undefined) return 0;
    const during = draft.endedMicros === undefined || t <= draft.endedMicros;
    if (connectedSince > draft.begun.t && !during) return 0;
    draft.lost.add(client);
    draft.pending.add(client);
    return draft.begun.fault;
  }

  /** A client that lost its path to `fault` is registered again. @returns whether nobody is missing now */
  back(client: string, fault: number, t: number): boolean {
    const draft = this.#byNumber.get(fault);
    if (draft?.pending.delete(client) !== true) return false;
    draft.lastBackMicros = Math.max(draft.lastBackMicros, t);
    return draft.pending.size === 0;
  }

  /** One fault as it stands now. */
  row(fault: number): FaultRow | undefined {
    const draft = this.#byNumber.get(fault);
    return draft === undefined ? undefined : this.#row(draft);
  }

  /** Link effects that were measured before the run and are off on this machine: the kind, and what was measured. */
  get distrusted(): ReadonlyMap<string, string> {
    return this.#distrusted;
  }

  /** Of the relay. */
  get outages(): readonly Outage[] {
    return this.outagesOf('relay');
  }

  outagesOf(server: string): readonly Outage[] {
    return this.#outages.filter((outage) => outage.server === server);
  }

  rows(): readonly FaultRow[] {
    return this.#drafts.map((draft) => this.#row(draft));
  }

  #row(draft: Draft): FaultRow {
    const { fault, kind, site, text, t } = draft.begun;
    const ready = this.#outages.find((outage) => outage.fault === fault)?.toMicros;
    const distrust = this.#distrusted.get(kind.replace(/^link /, ''));
    const doubt = distrust === undefined ? '' : `; not to be trusted on this machine: ${distrust}`;
    const allBack = draft.lost.size > 0 && draft.pending.size === 0 ? draft.lastBackMicros : undefined;
    return {
      fault,
      kind,
      site,
      text,
      beganMicros: t,
      endedMicros: draft.endedMicros,
      receipt:
        draft.receipt === undefined
          ? undefined
          : { effects: draft.receipt.effects, text: `${draft.receipt.text}${doubt}` },
      proved: (draft.receipt?.effects ?? 0) > 0 && distrust === undefined,
      clientsLost: draft.lost.size,
      clientsBack: draft.lost.size - draft.pending.size,
      allBackMicros: allBack,
      backAfterMicros: allBack === undefined ? undefined : Math.max(0, allBack - (ready ?? t)),
      countedFrom: ready === undefined ? 'fault' : 'relay ready',
    };
  }
}
