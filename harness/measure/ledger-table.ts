import type { CloseKind, Direction, EventOf, TraceEvent, TransferMode } from '../trace/trace.ts';
import type { FaultRow } from './faults.ts';
import type { FactsCollector } from './run-facts.ts';
import { Level, type Steps } from './series.ts';

/** One mode and direction of the payload ledger; all sizes in bytes. */
export type LedgerRow = {
  readonly mode: TransferMode;
  readonly direction: Direction;
  readonly tunnels: number;
  readonly sent: number;
  readonly received: number;
  /** Missing without an abort or a receipted fault that cut the tunnel: holes, and ends that never came. */
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly foreign: number;
  /** Tunnels that an abort of the user or a receipted fault cut short, and the bytes at their ends that never came. */
  readonly cutTunnels: number;
  readonly cutBytes: number;
  /** `up`: the user ended its half first and still got the whole answer and its end. `down`: the service's end arrived. */
  readonly endsKept: number;
  readonly endsOf: number;
  /** `up` only: the user's reset arrived at the service. */
  readonly abortsSeen: number;
  readonly abortsOf: number;
  readonly firstWrong:
    | { readonly tunnel: number; readonly offset: number; readonly state: string; readonly from: string }
    | undefined;
};

/** A user's tunnel that did not end as it should. */
export type CutTunnel = {
  readonly t: number;
  readonly tunnel: number;
  readonly mode: TransferMode;
  /** The receipted fault that explains it; 0: nothing does. */
  readonly fault: number;
};

export type LedgerTable = {
  readonly rows: readonly LedgerRow[];
  /** Tunnels of users: begun, ended (with a report of their end), still open when the trace ended. */
  readonly tunnels: number;
  readonly ended: number;
  readonly openAtEnd: number;
  /** Users whom no relay took, or who came while their client left in order: they were never in a tunnel, so they are in no row. */
  readonly refused: number;
  /** Open user tunnels per 100 ms. */
  readonly open: Steps;
  /** At most `CUTS_MAX`, unexplained ones first. */
  readonly cuts: readonly CutTunnel[];
  readonly cutsUnexplained: number;
  readonly cutsExplained: number;
  /** Bytes missing in tunnels cut by a fault without a receipt or by nothing at all. */
  readonly lost: number;
};

const CUTS_MAX = 200;
/** A client may tell of its leaving a little before or after the relay does what follows from it. */
const TELLING_MICROS = 1_000_000;
const MODES: readonly TransferMode[] = ['pool', 'event', 'multiplex', 'forwarder'];

type Wrong = { lost: number; repeated: number; reordered: number; foreign: number };
type Draft = {
  readonly tunnel: number;
  mode: TransferMode;
  client: string;
  close: CloseKind;
  openedAt: number;
  /** When its client registered last before it. */
  registeredAt: number | undefined;
  user: EventOf<'tunnel.done'> | undefined;
  service: EventOf<'tunnel.done'> | undefined;
  /** The service heard of it. */
  reached: boolean;
  seenByUser: boolean;
  up: Wrong | undefined;
  down: Wrong | undefined;
};

type Row = { -readonly [key in keyof LedgerRow]: LedgerRow[key] };

/** Joins what both ends of each tunnel say they sent and saw. */
export class LedgerCollector {
  readonly #facts: FactsCollector;
  readonly #tunnels = new Map<number, Draft>();
  readonly #open = new Level();
  readonly #firstWrong = new Map<string, NonNullable<LedgerRow['firstWrong']>>();
  /** Probes that must be refused, and whatever else is not a user's own tunnel. */
  readonly #unwanted = new Set<number>();
  readonly #early = new Map<number, EventOf<'ledger.span'>[]>();
  readonly #registered = new Map<string, number>();
  readonly #stopped = new Map<string, number>();

  constructor(facts: FactsCollector) {
    this.#facts = facts;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
        this.#registered.set(event.who, event.t);
        return;
      case 'client.stopped':
        this.#stopped.set(event.who, event.t);
        return;
      case 'tunnel.opened':
        this.#opened(event);
        return;
      case 'tunnel.done':
        this.#done(event);
        return;
      case 'ledger.span':
        this.#span(event);
        return;
      case 'probe.declared':
        if (event.expects === 'refused') this.#unwanted.add(event.tunnel);
        return;
    }
  }

  #opened(event: EventOf<'tunnel.opened'>): void {
    let draft = this.#tunnels.get(event.tunnel);
    if (draft === undefined) {
      const { tunnel, mode, client, close, t } = event;
      draft = {
        tunnel,
        mode,
        client,
        close,
        openedAt: t,
        registeredAt: undefined,
        user: undefined,
        service: undefined,
        reached: false,
        seenByUser: false,
        up: undefined,
        down: undefined,
      };
      this.#tunnels.set(tunnel, draft);
      for (const span of this.#early.get(tunnel) ?? []) this.#span(span);
      this.#early.delete(tunnel);
    }
    if (event.side === 'service') {
      draft.reached = true;
      return;
    }
    // The user knows whom it dialled; a service only knows what the request said.
    draft.client = event.client;
    draft.mode = event.mode;
    draft.openedAt = event.t;
    draft.registeredAt = this.#registered.get(event.client);
    draft.seenByUser = true;
    this.#open.add(event.t, 1);
  }

  #done(event: EventOf<'tunnel.done'>): void {
    const draft = this.#tunnels.get(event.tunnel);
    if (draft === undefined) return;
    if (event.side === 'service') {
      draft.service = event;
      draft.reached = true;
      return;
    }
    if (draft.user === undefined && draft.seenByUser) this.#open.add(event.t, -1);
    draft.user = event;
  }

  #span(event: EventOf<'ledger.span'>): void {
    const draft = this.#tunnels.get(event.tunnel);
    if (draft === undefined) {
      const early = this.#early.get(event.tunnel) ?? [];
      early.push(event);
      this.#early.set(event.tunnel, early);
      return;
    }
    draft[event.direction] ??= { lost: 0, repeated: 0, reordered: 0, foreign: 0 };
    const wrong = draft[event.direction];
    if (wrong !== undefined) wrong[event.state] += event.length;
    const key = `${draft.mode} ${event.direction}`;
    if (!this.#firstWrong.has(key)) {
      const { tunnel, offset, state, from } = event;
      this.#firstWrong.set(key, { tunnel, offset, state, from });
    }
  }

  /** @param complete false: the trace was cut, so an end that is not in it may still have come */
  table(faults: readonly FaultRow[], endMicros: number, complete: boolean): LedgerTable {
    const rows = new Map<string, Row>();
    const cuts: CutTunnel[] = [];
    let ended = 0;
    let users = 0;
    let refused = 0;
    for (const draft of this.#tunnels.values()) {
      if (!draft.seenByUser || this.#unwanted.has(draft.tunnel)) continue;
      users++;
      // `none` without an abort: the run itself ended it.
      if (draft.user === undefined || (draft.user.gotEnd === 'none' && !aborted(draft))) continue;
      if (draft.user.gotEnd === 'refused' || (!draft.reached && this.#clientLeft(draft, draft.user.t))) {
        refused++;
        continue;
      }
      ended++;
      const fault = this.#faultOf(draft, faults, endMicros, complete);
      const cut = addTunnel(draft, fault, complete, (direction) => rowFor(rows, draft.mode, direction));
      if (cut) cuts.push({ t: draft.user.t, tunnel: draft.tunnel, mode: draft.mode, fault });
    }
    const ordered = MODES.flatMap((mode) =>
      (['up', 'down'] as const).flatMap((direction): LedgerRow[] => {
        const row = rows.get(`${mode} ${direction}`);
        return row === undefined
          ? []
          : [{ ...row, firstWrong: this.#firstWrong.get(`${mode} ${direction}`) }];
      }),
    );
    const unexplained = cuts.filter((cut) => cut.fault === 0);
    const explained = cuts.filter((cut) => cut.fault !== 0);
    return {
      rows: ordered,
      tunnels: users,
      ended,
      openAtEnd: users - ended - refused,
      refused,
      open: this.#open.steps(),
      cuts: [...unexplained, ...explained].slice(0, CUTS_MAX),
      cutsUnexplained: unexplained.length,
      cutsExplained: explained.length,
      lost: ordered.reduce((sum, row) => sum + row.lost, 0),
    };
  }

  #clientLeft(draft: Draft, doneAt: number): boolean {
    const stopped = this.#stopped.get(draft.client);
    if (stopped === undefined) return false;
    return draft.openedAt - TELLING_MICROS <= stopped && stopped <= doneAt + TELLING_MICROS;
  }

  /** The receipted fault in whose reach (from its begin until everybody was back) this tunnel lived; 0: none. */
  #faultOf(draft: Draft, faults: readonly FaultRow[], endMicros: number, complete: boolean): number {
    const clean = draft.user?.gotEnd === 'fin' && draft.user.received === draft.service?.sent;
    if (clean && draft.user?.sent === draft.service?.received) return 0;
    const site = this.#facts.clientByWho.get(draft.client)?.site;
    const name = site === undefined ? undefined : this.#facts.siteName(site);
    // What the user sent may still be under way when it has its answer and is gone.
    const doneAt = Math.max(draft.user?.t ?? endMicros, draft.service?.t ?? 0);
    for (const fault of faults) {
      // A fault that was under way when the trace was cut had no time to prove itself.
      const proved = fault.proved || (!complete && fault.receipt === undefined);
      if (!proved || (fault.site !== '' && fault.site !== name)) continue;
      // A pooled connection that died in silence may be handed out as long as its client has not registered anew: then no
      // service sees the user.
      const silent = !draft.reached && (fault.site === '' || fault.kind.startsWith('nat'));
      const since = draft.registeredAt ?? fault.beganMicros;
      if (silent && since < fault.beganMicros && doneAt >= fault.beganMicros) return fault.fault;
      const allBack = fault.clientsLost === fault.clientsBack ? (fault.allBackMicros ?? 0) : endMicros;
      const over = Math.max(fault.beganMicros, fault.endedMicros ?? 0, allBack);
      if (draft.openedAt <= over && doneAt >= fault.beganMicros) return fault.fault;
    }
    return 0;
  }
}

/** The user reset midway, as it was told to. */
const aborted = ({ user, close }: Draft): boolean => close === 'abort' && user?.sentEnd === 'rst';

const rowFor = (rows: Map<string, Row>, mode: TransferMode, direction: Direction): Row => {
  const key = `${mode} ${direction}`;
  const known = rows.get(key);
  if (known !== undefined) return known;
  const row: Row = {
    mode,
    direction,
    tunnels: 0,
    sent: 0,
    received: 0,
    lost: 0,
    repeated: 0,
    reordered: 0,
    foreign: 0,
    cutTunnels: 0,
    cutBytes: 0,
    endsKept: 0,
    endsOf: 0,
    abortsSeen: 0,
    abortsOf: 0,
    firstWrong: undefined,
  };
  rows.set(key, row);
  return row;
};

/** Adds one ended tunnel to its two rows. @returns whether it was cut short (aborts are not: they were asked for) */
const addTunnel = (
  draft: Draft,
  fault: number,
  complete: boolean,
  rowOf: (direction: Direction) => Row,
): boolean => {
  const { user, service } = draft;
  if (user === undefined) return false;
  const abort = aborted(draft);
  let cut = !abort && user.gotEnd !== 'fin';
  for (const direction of ['up', 'down'] as const) {
    const row = rowOf(direction);
    const [from, to] = direction === 'up' ? [user, service] : [service, user];
    const wrong = draft[direction] ?? { lost: 0, repeated: 0, reordered: 0, foreign: 0 };
    row.tunnels++;
    row.sent += from?.sent ?? 0;
    row.received += to?.received ?? 0;
    row.repeated += wrong.repeated;
    row.reordered += wrong.reordered;
    row.foreign += wrong.foreign;
    const holes = Math.max(0, wrong.lost - wrong.reordered);
    row.lost += holes;
    // An end that is still alive when a cut trace stops may yet receive the rest.
    const known = direction === 'down' || service !== undefined || (complete && !draft.reached);
    const arrived = (to?.received ?? 0) - wrong.repeated;
    const tail = known ? Math.max(0, (from?.sent ?? 0) - arrived - wrong.lost) : 0;
    if (holes > 0 || (tail > 0 && !abort)) cut = true;
    if (abort || fault !== 0) row.cutBytes += tail;
    else row.lost += tail;
    if ((abort || fault !== 0) && (tail > 0 || cut)) row.cutTunnels++;
  }
  addEnds(draft, fault, cut, rowOf);
  return cut;
};

const addEnds = (draft: Draft, fault: number, cut: boolean, rowOf: (direction: Direction) => Row): void => {
  const { user, service, close } = draft;
  if (user === undefined || (cut && fault !== 0)) return;
  if (aborted(draft)) {
    const up = rowOf('up');
    // A user that never reached the service has nothing to abort there.
    if (service === undefined) return;
    up.abortsOf++;
    if (service.gotEnd === 'rst') up.abortsSeen++;
    return;
  }
  const row = rowOf(close === 'half' ? 'up' : 'down');
  row.endsOf++;
  if (user.gotEnd === 'fin' && !cut) row.endsKept++;
};
