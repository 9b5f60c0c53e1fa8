import type { LinkMachine } from 'chaos-proxy';
import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import { retold } from './translated.ts';

type Dial = { answered: boolean };

/**
 * Stands before an agent that is not ours, and says of it what ours say of themselves: when it dials, when it is answered, when
 * it loses its connection. How long it means to wait it alone knows (`waitMillis` 0).
 */
export class AgentTap implements NetMachine<Happening, ActorCommand> {
  readonly #link: LinkMachine;
  /** Connections it dialled. */
  readonly #dials = new Map<Conn, Dial>();
  #attempt = 0;

  /** @param link without faults, towards the agent's way out */
  constructor(link: LinkMachine) {
    this.#link = link;
  }

  deadline(): Millis | undefined {
    return this.#link.deadline();
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    if (input.type === 'command') return NOTHING;
    const before = this.#heard(input);
    const out = retold(this.#link.handle(now, input), (report) =>
      report.type === 'link.ready'
        ? [{ type: 'host.ready', port: report.port }]
        : report.type === 'link.failed'
          ? [{ type: 'host.crashed', reason: `cannot listen: ${report.why}` }]
          : NOTHING,
    );
    const after = out.flatMap((output) => this.#done(output));
    if (before.length + after.length === 0) return out;
    return [...out, ...[...before, ...after].map((event) => ({ type: 'report', event }) as const)];
  }

  #heard(input: NetInput): readonly Happening[] {
    if (input.type === 'accepted') {
      this.#dials.set(input.conn, { answered: false });
      return [{ type: 'agent.dialing', attempt: this.#attempt }];
    }
    // it ended it, or the network did
    return input.type === 'closed' ? this.#over(input.conn, input.why) : NOTHING;
  }

  /** What the link does to the agent's own end. */
  #done(output: NetOutput<Happening>): readonly Happening[] {
    if (output.type === 'send') {
      const dial = this.#dials.get(output.conn);
      if (dial === undefined || dial.answered) return NOTHING;
      dial.answered = true;
      this.#attempt = 0;
      return [{ type: 'agent.greeted', acknowledges: false }];
    }
    if (output.type === 'reset') return this.#over(output.conn, 'reset');
    return output.type === 'end' ? this.#over(output.conn, 'server ended') : NOTHING;
  }

  #over(conn: Conn, why: string): readonly Happening[] {
    const dial = this.#dials.get(conn);
    if (dial === undefined) return NOTHING;
    this.#dials.delete(conn);
    const during = dial.answered ? 'send' : 'greet';
    return [{ type: 'agent.lost', during, why, attempt: this.#attempt++, waitMillis: 0 }];
  }
}
