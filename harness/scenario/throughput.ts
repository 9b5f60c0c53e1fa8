import type { EventOf } from '../trace/trace.ts';

type Turn =
  | { readonly path: 'direct'; readonly source: string; readonly round: number; readonly bytes: number }
  | { readonly path: 'relayed'; readonly client: string; readonly round: number; readonly bytes: number }
  | { readonly path: 'over' };

/** The throughput phase as a list of turns: direct, then each client, round after round, so that drift meets all alike. */
export class Throughput {
  #turns: Turn[] = [];
  #tunnel = -1;

  /** @returns the first turn */
  begin(phase: {
    rounds: number;
    bytes: number;
    source: string;
    clients: readonly string[];
  }): Turn | undefined {
    for (let round = 0; round < phase.rounds; round++) {
      this.#turns.push({ path: 'direct', source: phase.source, round, bytes: phase.bytes });
      for (const client of phase.clients)
        this.#turns.push({ path: 'relayed', client, round, bytes: phase.bytes });
    }
    this.#turns.push({ path: 'over' });
    return this.#turns[0];
  }

  /** The tunnel of the turn under way. */
  opened(tunnel: number): void {
    this.#tunnel = tunnel;
  }

  /** A direct transfer was measured (a relayed one goes on to its end). @returns the next turn */
  sampled(event: EventOf<'rate.sample'>): Turn | undefined {
    return event.path === 'direct' && this.#turns[0]?.path === 'direct' ? this.skip() : undefined;
  }

  /** A tunnel is over. @returns the next turn if it was this phase's */
  ended(tunnel: number): Turn | undefined {
    if (tunnel !== this.#tunnel) return undefined;
    this.#tunnel = -1;
    return this.skip();
  }

  skip(): Turn | undefined {
    this.#turns.shift();
    return this.#turns[0];
  }
}
