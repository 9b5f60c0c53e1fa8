import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { EventOf } from '../trace/trace.ts';

type Turn =
  | { readonly path: 'direct'; readonly source: string; readonly round: number; readonly bytes: number }
  | { readonly path: 'relayed'; readonly client: string; readonly round: number; readonly bytes: number }
  | { readonly path: 'over' };

/** A transfer that takes longer is given up: slower than that is an answer too. */
export const TRANSFER_MILLIS = 20_000;

/**
 * The throughput phase as a list of turns: direct, then each client, round after round, so that drift meets all alike. A path
 * that fails once is left out of the rounds that remain.
 */
export class Throughput {
  #turns: Turn[] = [];
  #tunnel = -1;
  #measured = false;
  #due: Millis | undefined;

  /** When the turn under way is given up. */
  deadline(): Millis | undefined {
    return this.#due;
  }

  /** @returns the first turn */
  begin(
    now: Millis,
    phase: { rounds: number; bytes: number; source: string; clients: readonly string[] },
  ): Turn | undefined {
    for (let round = 0; round < phase.rounds; round++) {
      this.#turns.push({ path: 'direct', source: phase.source, round, bytes: phase.bytes });
      for (const client of phase.clients)
        this.#turns.push({ path: 'relayed', client, round, bytes: phase.bytes });
    }
    this.#turns.push({ path: 'over' });
    return this.#turn(now);
  }

  /** The tunnel of the turn under way. */
  opened(tunnel: number): void {
    this.#tunnel = tunnel;
  }

  /** A transfer was measured: a direct one is over with that, a relayed one goes on to its end. @returns the next turn */
  sampled(now: Millis, event: EventOf<'rate.sample'>): Turn | undefined {
    this.#measured = true;
    return event.path === 'direct' && this.#turns[0]?.path === 'direct' ? this.#next(now) : undefined;
  }

  /** A tunnel is over. @returns the next turn if it was this phase's */
  ended(now: Millis, tunnel: number): Turn | undefined {
    if (tunnel !== this.#tunnel) return undefined;
    return this.#measured ? this.#next(now) : this.failed(now);
  }

  /** The turn under way came to nothing. @returns the next one */
  failed(now: Millis): Turn | undefined {
    const [turn] = this.#turns;
    const same = (other: Turn): boolean =>
      turn?.path === other.path &&
      (turn.path !== 'relayed' || other.path !== 'relayed' || turn.client === other.client);
    if (turn !== undefined && turn.path !== 'over') this.#turns = this.#turns.filter((other) => !same(other));
    return this.#turn(now);
  }

  #next(now: Millis): Turn | undefined {
    this.#turns.shift();
    return this.#turn(now);
  }

  #turn(now: Millis): Turn | undefined {
    const [turn] = this.#turns;
    this.#tunnel = -1;
    this.#measured = false;
    this.#due = turn === undefined || turn.path === 'over' ? undefined : now + TRANSFER_MILLIS + 1_000;
    return turn;
  }
}
