import type { LinkMachine } from 'chaos-proxy';
import {
  type CommandInput,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import { receiptWords } from './receipt-words.ts';
import { retold } from './translated.ts';

/** Effects that began inside the fault's time may be written down a moment after it. */
const RECEIPT_AFTER_MILLIS = 50;

type LinkReport = Extract<ReturnType<LinkMachine['handle']>[number], { readonly type: 'report' }>['event'];
type Added = { readonly fault: number; readonly kind: string; readonly until: Millis };

/** A flaky link in a lab: a fault of the timeline is added to it, ends after its time, and then leaves its receipt. */
export class LinkActor implements NetMachine<Happening, ActorCommand> {
  readonly #link: LinkMachine;
  readonly #site: string;
  readonly #keepaliveMillis: Millis;
  /** Faults under way, by the id they have in the link. */
  readonly #added = new Map<string, Added>();
  readonly #done = new Set<string>();
  readonly #retell = (event: LinkReport): readonly Happening[] => this.#told(event);

  /**
   * @param who host path; what stands before its stroke is the site of the receipts
   * @param keepaliveMillis of the sockets it dials: a kernel NAT behind it may forget them without a word
   */
  constructor(link: LinkMachine, who: string, keepaliveMillis: Millis) {
    this.#keepaliveMillis = keepaliveMillis;
    this.#link = link;
    this.#site = who.slice(0, who.indexOf('/'));
  }

  deadline(): Millis | undefined {
    let due = this.#link.deadline();
    if (this.#added.size === 0) return due;
    for (const { until } of this.#added.values()) due = soonest(due, until);
    return due;
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    if (input.type === 'command') return this.#command(now, input.command);
    const outputs = retold(this.#link.handle(now, input), this.#retell);
    if (input.type === 'connected')
      return [{ type: 'keepalive', conn: input.conn, idleMillis: this.#keepaliveMillis }, ...outputs];
    return input.type === 'deadline' && this.#added.size > 0 ? [...outputs, ...this.#expire(now)] : outputs;
  }

  #command(now: Millis, command: ActorCommand): readonly NetOutput<Happening>[] {
    if (command.do !== 'link') return NOTHING;
    const { fault, what, forMillis } = command;
    const id = `fault-${fault}`;
    this.#added.set(id, { fault, kind: `link ${what.kind}`, until: now + forMillis + RECEIPT_AFTER_MILLIS });
    return this.#tell(now, { do: 'add', id, fault: { ...what, forMillis } });
  }

  #expire(now: Millis): readonly NetOutput<Happening>[] {
    const out: NetOutput<Happening>[] = [];
    for (const [id, { until }] of this.#added) {
      if (until > now) continue;
      out.push(...this.#tell(now, { do: 'receipt', id }), ...this.#tell(now, { do: 'remove', id }));
      this.#added.delete(id);
    }
    return out;
  }

  #tell(
    now: Millis,
    command: Extract<Parameters<LinkMachine['handle']>[1], { type: 'command' }>['command'],
  ): readonly NetOutput<Happening>[] {
    return retold(this.#link.handle(now, { type: 'command', command }), this.#retell);
  }

  #told(event: LinkReport): readonly Happening[] {
    switch (event.type) {
      case 'link.ready':
        return [{ type: 'host.ready', port: event.port }];
      case 'link.failed':
        return [{ type: 'host.crashed', reason: `cannot listen: ${event.why}` }];
      case 'link.stopped':
        return [{ type: 'host.stopped', code: 0 }];
      case 'link.effect': {
        // What the link's own profile does all the time would be most of the trace; its faults' effects are what is judged.
        if (!this.#added.has(event.fault)) return NOTHING;
        const { effect, conn, direction, amount, unit } = event;
        return [{ type: 'link.effect', effect, conn, direction, amount, unit }];
      }
      case 'link.receipt': {
        const added = this.#added.get(event.id);
        if (added === undefined || this.#done.has(event.id)) return NOTHING;
        // One receipt a fault, whether it ended by itself or was taken away.
        this.#done.add(event.id);
        const about = { fault: added.fault, kind: added.kind, site: this.#site };
        return [
          { type: 'fault.receipt', ...about, effects: event.effects, text: receiptWords(event) },
          { type: 'fault.ended', ...about },
        ];
      }
    }
  }
}
