/** Waiting for what an agent says, with a deadline: for the self-test of the lab and its tests. */
import type { TraceEvent } from '../../trace/trace.ts';
import type { AgentChannel } from '../ground.ts';

type Waiting = {
  readonly wanted: (event: TraceEvent) => boolean;
  readonly settle: (event: TraceEvent | Error) => void;
};

const WAIT_MILLIS = 10_000;

/** Listens to one agent from now on; keeps everything it said. */
export class Heard {
  readonly events: TraceEvent[] = [];
  readonly #waiting = new Set<Waiting>();
  #gone: string | undefined;

  constructor(channel: AgentChannel) {
    channel.onEvent = (event) => {
      this.events.push(event);
      for (const waiting of this.#waiting) if (waiting.wanted(event)) waiting.settle(event);
    };
    channel.onGone = (reason) => {
      this.#gone = reason;
      for (const waiting of this.#waiting) waiting.settle(new Error(reason));
    };
  }

  /** Why the agent is gone; undefined while it is not. */
  get gone(): string | undefined {
    return this.#gone;
  }

  /** The next event that is wanted. @throws Error after ten seconds, or when the agent is gone */
  next(wanted: (event: TraceEvent) => boolean): Promise<TraceEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiting.settle(new Error(`the agent did not say it within ${WAIT_MILLIS / 1000} s`)),
        WAIT_MILLIS,
      );
      const waiting: Waiting = {
        wanted,
        settle: (event) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          if (event instanceof Error) reject(event);
          else resolve(event);
        },
      };
      this.#waiting.add(waiting);
      if (this.#gone !== undefined) waiting.settle(new Error(this.#gone));
    });
  }

  /** The port of the next actor that listens. */
  async port(): Promise<number> {
    const event = await this.next(({ type }) => type === 'host.ready');
    return event.type === 'host.ready' ? event.port : 0;
  }

  /** The next line an actor prints. `who` undefined: any actor. */
  async output(who?: string): Promise<string> {
    const event = await this.next(
      (said) => said.type === 'host.output' && (who === undefined || said.who === who),
    );
    return event.type === 'host.output' ? event.text : '';
  }
}
