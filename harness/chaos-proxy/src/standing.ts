import type { Acting, Selector } from './faults/fault.ts';
import { type Fault, familyOf } from './faults/registry.ts';
import { keyedStream } from './keyed-random.ts';
import type { Millis } from './machine.ts';
import { type Desk, Receipt } from './receipt.ts';

/** Keys of a fault's draws that are about whole connections, apart from those about its directions (0 up, 1 down). */
const SELECTION = 2;
const DOOR = 3;

/** A fault on the link, with its receipt. */
export type Standing = {
  readonly id: string;
  readonly fault: Fault;
  readonly acting: Acting;
  readonly receipt: Receipt;
  readonly addedAt: Millis;
  removed: boolean;
};

/** @param receipt of the fault it comes in place of */
export const standingOf = (id: string, fault: Fault, desk: Desk, receipt?: Receipt): Standing => ({
  id,
  fault,
  acting: familyOf(fault).begin(fault),
  receipt: receipt ?? new Receipt(id, fault.kind, desk),
  addedAt: desk.clock.now,
  removed: false,
});

/** Does the fault's selector mean the connection with this ordinal? */
export const selects = (
  id: string,
  selector: Selector | undefined,
  ordinal: number,
  seed: number,
): boolean => {
  if (selector === undefined) return true;
  const { connections = 'all', first, every, probability } = selector;
  if (typeof connections === 'number' && connections !== ordinal) return false;
  if (typeof connections === 'object' && (ordinal < connections[0] || ordinal > connections[1])) return false;
  if (first !== undefined && ordinal > first) return false;
  if (every !== undefined && ordinal % every !== 0) return false;
  return probability === undefined || keyedStream(seed, id, SELECTION, ordinal).unit(0) < probability;
};

/** What the faults that act at the door say about a new connection. */
export const doorVerdict = (
  standings: Iterable<Standing>,
  ordinal: number,
  seed: number,
  now: Millis,
): { readonly refuse: boolean; readonly delayMillis: Millis } => {
  let delayMillis = 0;
  for (const { id, fault, acting, receipt, addedAt } of standings) {
    if (acting.door === undefined) continue;
    const after = fault.when !== undefined && 'afterMillis' in fault.when ? fault.when.afterMillis : 0;
    const since = addedAt + after;
    if (now < since || now >= since + (fault.forMillis ?? Number.POSITIVE_INFINITY)) continue;
    if (!selects(id, fault.selector, ordinal, seed)) continue;
    const random = keyedStream(seed, id, DOOR, ordinal);
    const verdict = acting.door({ conn: ordinal, random, receipt });
    if (verdict?.refuse) return verdict;
    delayMillis += verdict?.delayMillis ?? 0;
  }
  return { refuse: false, delayMillis };
};
