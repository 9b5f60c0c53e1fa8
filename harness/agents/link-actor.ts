import type { LinkMachine } from 'chaos-proxy';
import {
  type CommandInput,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  soonest,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import { receiptWords } from './receipt-words.ts';

/** Effects that began inside the fault's time may be written down a moment after it. */
const RECEIPT_AFTER_MILLIS = 50;

type Added = { readonly fault: number; readonly kind: string; readonly until: Millis };

/** A flaky link in a lab: a fault of the timeline is added to it, ends after its time, and then leaves its receipt. */
export class LinkActor implements NetMachine<Happening, ActorCommand> {
  readonly #link: LinkMachine;
  readonly #site: string;
  readonly #keepaliveMillis: Millis;
  readonly #added = new Map<string, Added>();
  readonly #done = new Set<string>();

  /** @param keepaliveMillis of the sockets it dials: a kernel NAT behind it may forget them without a word */
  constructor(link: LinkMachine, who: string, keepaliveMillis: Millis) {
    this.#keepaliveMillis = keepaliveMillis;
    this.#link = link;
    this.#site = who.slice(0, who.indexOf('/'));
  }

  deadline(): Millis | undefined {
    let due = this.#link.deadline();
    for (const { until } of this.#added.values()) due = soonest(due, until);
    return due;
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    if (input.type === 'command') return this.#command(now, input.command);
    const outputs = this.#translate(this.#link.handle(now, input));
    if (input.type === 'connected') {
      const idleMillis = this.#keepaliveMillis;
      return [{ type: 'keepalive', conn: input.conn, idleMillis }, ...outputs];
    }
    return input.type === 'deadline' ? [...outputs, ...this.#expire(now)] : outputs;
  }

  #command(now: Millis, command: ActorCommand): readonly NetOutput<Happening>[] {
    if (command.do !== 'link') return [];
    const { fault, what, forMillis } = command;
    const id = `fault-${fault}`;
    this.#added.set(id, { fault, kind: `link ${what.kind}`, until: now + forMillis + RECEIPT_AFTER_MILLIS });
    const add = { do: 'add', id, fault: { ...what, forMillis } } as const;
    return this.#translate(this.#link.handle(now, { type: 'command', command: add }));
  }

  #expire(now: Millis): readonly NetOutput<Happening>[] {
    const out: NetOutput<Happening>[] = [];
    for (const [id, { until }] of this.#added) {
      if (until > now) continue;
      for (const command of [
        { do: 'receipt', id },
        { do: 'remove', id },
      ] as const)
        out.push(...this.#translate(this.#link.handle(now, { type: 'command', command })));
      this.#added.delete(id);
    }
    return out;
  }

  #translate(outputs: ReturnType<LinkMachine['handle']>): readonly NetOutput<Happening>[] {
    return outputs.flatMap((output): readonly NetOutput<Happening>[] => {
      if (output.type !== 'report') return [output];
      const { event } = output;
      switch (event.type) {
        case 'link.ready':
          return [{ type: 'report', event: { type: 'host.ready', port: event.port } }];
        case 'link.effect': {
          // What the link's own profile does all the time would be most of the trace; its faults' effects are what is judged.
          if (!this.#added.has(event.fault)) return [];
          const { effect, conn, direction, amount, unit } = event;
          return [{ type: 'report', event: { type: 'link.effect', effect, conn, direction, amount, unit } }];
        }
        case 'link.receipt': {
          const added = this.#added.get(event.id);
          if (added === undefined || this.#done.has(event.id)) return [];
          // One receipt a fault, whether it ended by itself or was taken away.
          this.#done.add(event.id);
          const { fault, kind } = added;
          const receipt = {
            type: 'fault.receipt',
            fault,
            kind,
            site: this.#site,
            effects: event.effects,
            text: receiptWords(event),
          } as const;
          return [
            { type: 'report', event: receipt },
            { type: 'report', event: { type: 'fault.ended', fault, kind, site: this.#site } },
          ];
        }
        default:
          return [];
      }
    });
  }
}
