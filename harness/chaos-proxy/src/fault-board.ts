import { ChaosError } from './chaos-error.ts';
import type { Connection } from './connection.ts';
import type { Place, Verdict } from './faults/fault.ts';
import type { Fault } from './faults/registry.ts';
import { keyedStream } from './keyed-random.ts';
import { HELD_BYTES_MIN, heldBytesMax, type Lane } from './lane.ts';
import { Placement } from './placement.ts';
import type { Desk, Receipt } from './receipt.ts';
import { doorVerdict, type Standing, selects, standingOf } from './standing.ts';

const LAST = 1;
const REMOVED_RECEIPTS_MAX = 256;

/** The placements of one fault, and the others. */
const parted = (all: readonly Placement[], receipt: Receipt): readonly [Placement[], Placement[]] => [
  all.filter(({ place }) => place.receipt === receipt),
  all.filter(({ place }) => place.receipt !== receipt),
];

/** What the board needs of its link. */
export type BoardOptions = {
  readonly seed: number;
  readonly earlyBytesMax: number | undefined;
  readonly desk: Desk;
  /** Resets both ends of a connection in the name of a fault. */
  readonly strike: (connection: Connection, receipt: Receipt) => void;
  /** Closes both ends in the name of a fault. */
  readonly close: (connection: Connection, receipt: Receipt) => void;
};

/** The faults on a link with their receipts, and the hand that puts them on connections. */
export class FaultBoard {
  readonly #options: BoardOptions;
  readonly #standings = new Map<string, Standing>();
  /** Of removed faults as well. */
  readonly receipts = new Map<string, Receipt>();

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  get ids(): readonly string[] {
    return [...this.#standings.keys()];
  }

  has(id: string): boolean {
    return this.#standings.has(id);
  }

  /** Faults of the start: their ids are their kinds, `kind-2` for the second of a kind. */
  addFirst(faults: readonly Fault[]): void {
    const count = new Map<string, number>();
    for (const fault of faults) {
      const nth = (count.get(fault.kind) ?? 0) + 1;
      count.set(fault.kind, nth);
      this.add(nth === 1 ? fault.kind : `${fault.kind}-${nth}`, fault, []);
    }
  }

  /** @throws ChaosError FAULT_ID_TAKEN */
  add(id: string, fault: Fault, living: Iterable<Connection>): void {
    if (this.#standings.has(id))
      throw new ChaosError('FAULT_ID_TAKEN', {
        expected: 'an id no fault of this link has',
        got: `'${id}'`,
        hint: 'remove that fault first, or choose another id',
      });
    const standing = standingOf(id, fault, this.#options.desk);
    this.#standings.set(id, standing);
    this.receipts.set(id, standing.receipt);
    for (const connection of living) this.#place(standing, connection, true);
  }

  /** @throws ChaosError FAULT_ID_UNKNOWN */
  remove(id: string, living: Iterable<Connection>): Receipt {
    const standing = this.#standings.get(id);
    if (standing === undefined) throw this.#unknown(id, this.#standings.keys());
    const { receipt } = standing;
    standing.removed = true;
    this.#standings.delete(id);
    this.receipts.delete(id);
    this.receipts.set(id, receipt);
    this.#forget();
    for (const connection of living) {
      let closes = false;
      for (const lane of [connection.up, connection.down]) {
        const [gone, kept] = parted(lane.pipe.placements, receipt);
        for (const placement of gone) if (placement.remove()) closes = true;
        lane.pipe.setPlacements(kept);
        this.bound(lane);
      }
      if (closes) this.#options.close(connection, receipt);
    }
    return receipt;
  }

  /** Puts another fault in the place of one. @throws ChaosError FAULT_ID_UNKNOWN */
  change(id: string, fault: Fault, living: Iterable<Connection>): Receipt {
    const before = this.#standings.get(id);
    if (before === undefined) throw this.#unknown(id, this.#standings.keys());
    const { receipt } = before;
    before.removed = true;
    const standing = standingOf(id, fault, this.#options.desk, receipt);
    this.#standings.set(id, standing);
    const order = [...this.#standings.values()].map((each) => each.receipt);
    const rank = ({ place }: Placement): number => order.indexOf(place.receipt);
    for (const connection of living) {
      const beganAt = new Map<Lane, number | undefined>();
      for (const lane of [connection.up, connection.down]) {
        const [gone, kept] = parted(lane.pipe.placements, receipt);
        for (const placement of gone) {
          beganAt.set(lane, placement.beganAt);
          placement.remove();
        }
        lane.pipe.setPlacements(kept);
      }
      this.#place(standing, connection, true, beganAt);
      for (const { pipe } of [connection.up, connection.down])
        pipe.setPlacements(pipe.placements.toSorted((a, b) => rank(a) - rank(b)));
      this.bound(connection.up);
      this.bound(connection.down);
    }
    return receipt;
  }

  /** Receipts of the removed are kept while they are few. */
  #forget(): void {
    let spare = this.receipts.size - this.#standings.size - REMOVED_RECEIPTS_MAX;
    for (const id of this.receipts.keys()) {
      if (spare <= 0) return;
      if (this.#standings.has(id)) continue;
      this.receipts.delete(id);
      spare--;
    }
  }

  /** @throws ChaosError FAULT_ID_UNKNOWN */
  receipt(id: string): Receipt {
    const receipt = this.receipts.get(id);
    if (receipt === undefined) throw this.#unknown(id, this.receipts.keys());
    return receipt;
  }

  /** What the faults that act at the door say about a new connection. */
  door(ordinal: number): Verdict {
    const { seed, desk } = this.#options;
    return doorVerdict(this.#standings.values(), ordinal, seed, desk.clock.now);
  }

  /** Puts all faults on a new connection. */
  placeAll(connection: Connection): void {
    for (const standing of this.#standings.values()) this.#place(standing, connection, false);
    this.bound(connection.up);
    this.bound(connection.down);
  }

  /** Sets how much a lane may hold. */
  bound(lane: Lane): void {
    if (!lane.open) {
      lane.limitBytes = this.#options.earlyBytesMax ?? HELD_BYTES_MIN;
      return;
    }
    const placed = new Set(lane.pipe.placements.map(({ place }) => place.receipt));
    const standings = [...this.#standings.values()].filter(({ receipt }) => placed.has(receipt));
    lane.limitBytes = heldBytesMax(standings.map(({ acting }) => acting));
  }

  /** `living`: the connection was there before the fault. */
  #place(
    standing: Standing,
    connection: Connection,
    living: boolean,
    beganAt?: ReadonlyMap<Lane, number | undefined>,
  ): void {
    const { fault, acting, id } = standing;
    const { ordinal, state } = connection;
    const { desk, seed } = this.#options;
    if (acting.stage === undefined || state === 'gone' || state === 'silent' || state === 'closing') return;
    if (!selects(id, fault.selector, ordinal, seed)) return;
    const { direction = 'both' } = fault;
    for (const lane of [connection.up, connection.down]) {
      const { pipe } = lane;
      if (direction !== 'both' && direction !== pipe.direction) continue;
      const place = this.#placeOf(standing, connection, lane);
      const placement = new Placement(fault, acting.stage(place), place, {
        addedAt: standing.addedAt,
        offset: pipe.offset,
        accepted: living,
        connected: living && state === 'open',
        ended: pipe.ended,
        beganAt: beganAt?.get(lane),
      });
      pipe.setPlacements([...pipe.placements, placement]);
      if (living) this.bound(lane);
      desk.at(Math.max(desk.clock.now, placement.wakesAt), () => placement.poll(pipe.offset));
    }
  }

  #placeOf(standing: Standing, connection: Connection, lane: Lane): Place {
    const { receipt, id } = standing;
    const { desk, seed, strike, close } = this.#options;
    const { direction } = lane.pipe;
    return {
      conn: connection.ordinal,
      direction,
      clock: desk.clock,
      random: keyedStream(seed, id, direction === 'up' ? 0 : 1, connection.ordinal),
      receipt,
      cut: (how) => lane.pipe.cut(how, receipt),
      reset: (afterMillis) => {
        if (afterMillis === 0) lane.pipe.close();
        const run = (): void => {
          if (!standing.removed) strike(connection, receipt);
        };
        // Behind whatever else is due in that moment, so that the order of segments does not decide.
        desk.at(desk.clock.now + afterMillis, run, LAST);
      },
      close: (afterMillis) => {
        const run = (): void => {
          if (!standing.removed) close(connection, receipt);
        };
        desk.at(desk.clock.now + afterMillis, run, LAST);
      },
    };
  }

  #unknown(id: string, known: Iterable<string>): ChaosError {
    return new ChaosError('FAULT_ID_UNKNOWN', {
      expected: `one of ${[...known].join(', ') || '(no faults)'}`,
      got: `'${id}'`,
      hint: 'ids of initial faults are their kind, or kind-2 for the second of a kind',
    });
  }
}
