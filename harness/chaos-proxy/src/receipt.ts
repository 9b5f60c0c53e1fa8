import type { Millis } from './machine.ts';

/** The way of bytes: `up` from who dialled the link to the upstream, `down` back. */
export type Way = 'up' | 'down';
export type Unit = 'bytes' | 'ms' | 'count';

/** A fault did something: summed per effect, connection and direction, at most a few a second for each fault. */
export type EffectReport = {
  readonly type: 'link.effect';
  /** The fault's id. */
  readonly fault: string;
  readonly effect: string;
  /** Connection ordinal on this link, from 1; 0: several connections in one sum. */
  readonly conn: number;
  readonly direction: Way | 'both';
  readonly amount: number;
  readonly unit: Unit;
};

/** What a fault really did, exact to the byte. `effects` 0: it did nothing, whatever was asked of it. */
export type ReceiptReport = {
  readonly type: 'link.receipt';
  readonly id: string;
  readonly kind: string;
  /** Bytes held, RSTs sent, dials refused, ... : how many measurable things. */
  readonly effects: number;
  readonly text: string;
  /** Sums by name of effect, `connections`, and for delays `delayMillisMean`, `delayMillisMax`, `lateMillisMax`. */
  readonly numbers: Readonly<Record<string, number>>;
};

/** What a receipt needs of the link it belongs to. */
export type Desk = {
  readonly clock: { readonly now: Millis };
  readonly at: (when: Millis, run: () => void, rank?: number) => void;
  readonly report: (report: EffectReport) => void;
};

const SUMMED_MILLIS = 250;
const ROWS_MAX = 4;

/** The books of one fault. */
export class Receipt {
  readonly id: string;
  readonly kind: string;
  readonly #desk: Desk;
  #effects = 0;
  readonly #sums = new Map<string, number>();
  readonly #connections = new Set<number>();
  #delayedBytes = 0;
  #delayMillisSum = 0;
  #delayMillisMax = 0;
  #lateMillisMax = 0;
  #pending = new Map<string, EffectReport>();
  #reportedAt = Number.NEGATIVE_INFINITY;
  #armed = false;

  constructor(id: string, kind: string, desk: Desk) {
    this.id = id;
    this.kind = kind;
    this.#desk = desk;
  }

  /** Books an effect. A delay in `ms` is one proof however long it was; bytes and counts prove themselves. */
  note(effect: string, conn: number, direction: Way | 'both', amount: number, unit: Unit): void {
    if (amount <= 0) return;
    this.#effects += unit === 'ms' ? 1 : amount;
    this.#sums.set(effect, (this.#sums.get(effect) ?? 0) + amount);
    this.#connections.add(conn);
    const key = `${effect} ${conn} ${direction}`;
    const before = this.#pending.get(key);
    const sum = before === undefined ? amount : before.amount + amount;
    this.#pending.set(key, {
      type: 'link.effect',
      fault: this.id,
      effect,
      conn,
      direction,
      amount: sum,
      unit,
    });
    const due = this.#reportedAt + SUMMED_MILLIS;
    if (due <= this.#desk.clock.now) this.flush();
    else if (!this.#armed) {
      this.#armed = true;
      this.#desk.at(due, () => {
        this.#armed = false;
        this.flush();
      });
    }
  }

  /** Books how long bytes were made to wait. */
  delay(bytes: number, millis: Millis): void {
    this.#delayedBytes += bytes;
    this.#delayMillisSum += bytes * millis;
    if (millis > this.#delayMillisMax) this.#delayMillisMax = millis;
  }

  /** Books how much later than due a delayed piece really left. */
  late(millis: Millis): void {
    if (millis > this.#lateMillisMax) this.#lateMillisMax = millis;
  }

  /** Reports the sums that wait. */
  flush(): void {
    if (this.#pending.size === 0) return;
    const rows = [...this.#pending.values()];
    this.#pending = new Map();
    this.#reportedAt = this.#desk.clock.now;
    const apart = rows.length > ROWS_MAX ? ROWS_MAX - 1 : rows.length;
    for (const row of rows.slice(0, apart)) this.#desk.report(row);
    const rest = new Map<string, EffectReport>();
    for (const row of rows.slice(apart)) {
      const sum = rest.get(row.effect)?.amount ?? 0;
      rest.set(row.effect, { ...row, conn: 0, direction: 'both', amount: sum + row.amount });
    }
    for (const row of rest.values()) this.#desk.report(row);
  }

  report(): ReceiptReport {
    const numbers: Record<string, number> = {};
    for (const effect of [...this.#sums.keys()].sort()) numbers[effect] = tidy(this.#sums.get(effect) ?? 0);
    numbers.connections = this.#connections.size;
    if (this.#delayedBytes > 0) {
      numbers.delayMillisMean = tidy(this.#delayMillisSum / this.#delayedBytes);
      numbers.delayMillisMax = tidy(this.#delayMillisMax);
      numbers.lateMillisMax = tidy(this.#lateMillisMax);
    }
    const parts = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
    const text = this.#effects === 0 ? `${this.kind}: did nothing` : `${this.kind}: ${parts.join(', ')}`;
    return {
      type: 'link.receipt',
      id: this.id,
      kind: this.kind,
      effects: tidy(this.#effects),
      text,
      numbers,
    };
  }
}

const tidy = (value: number): number => Math.round(value * 1000) / 1000;
