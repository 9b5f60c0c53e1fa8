/** One link or NAT with several ways out: a door each, all of them with the same mappings, the same faults, the same fate. */
import {
  type Address,
  type CommandInput,
  type Listener,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
} from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand, Door } from './actor-spec.ts';

/** Names of the further doors' listeners; the machine's own, of the first door, is below. */
const FIRST_DOOR: Listener = 100;

/** What the machine needs to know of the further doors: its option `upstreams`. */
export const doorUpstreams = (doors: readonly Door<Address>[]): ReadonlyMap<Listener, Address> =>
  new Map(doors.slice(1).map(({ upstream }, index) => [FIRST_DOOR + index, upstream]));

/**
 * Opens the further doors of a machine that opens its first one itself: on the ports behind its own (0: any). Says `host.door` for
 * each, and `host.ready` when all are open.
 */
class Doors implements NetMachine<Happening, ActorCommand> {
  readonly #machine: NetMachine<Happening, ActorCommand>;
  readonly #further: readonly Door<Address>[];
  readonly #port: number;
  readonly #ports = new Map<Listener, number>();
  /** The machine is ready, and waits for the doors. */
  #ready: Extract<Happening, { type: 'host.ready' }> | undefined;

  constructor(machine: NetMachine<Happening, ActorCommand>, further: readonly Door<Address>[], port: number) {
    this.#machine = machine;
    this.#further = further;
    this.#port = port;
  }

  deadline(): Millis | undefined {
    return this.#machine.deadline();
  }

  handle(now: Millis, input: NetInput | CommandInput<ActorCommand>): readonly NetOutput<Happening>[] {
    switch (input.type) {
      case 'start':
        return [...this.#machine.handle(now, input), ...this.#open()];
      case 'stop':
        return [
          ...this.#further.map((_, index) => ({ type: 'unlisten', listener: FIRST_DOOR + index }) as const),
          ...this.#machine.handle(now, input),
        ];
      case 'listening':
        if (input.listener < FIRST_DOOR) return this.#hold(this.#machine.handle(now, input));
        this.#ports.set(input.listener, input.port);
        return this.#whenAllAreOpen();
      case 'unlistened': {
        if (input.listener < FIRST_DOOR) return this.#machine.handle(now, input);
        const target = this.#further[input.listener - FIRST_DOOR]?.target;
        const reason = `cannot listen for ${target}: ${input.why}`;
        return [{ type: 'report', event: { type: 'host.crashed', reason } }];
      }
      default:
        return this.#machine.handle(now, input);
    }
  }

  #open(): readonly NetOutput<Happening>[] {
    return this.#further.map((_, index) => {
      const port = this.#port === 0 ? 0 : this.#port + 1 + index;
      return { type: 'listen', listener: FIRST_DOOR + index, port, host: undefined } as const;
    });
  }

  #hold(outputs: readonly NetOutput<Happening>[]): readonly NetOutput<Happening>[] {
    const passed = outputs.filter((output) => {
      if (output.type !== 'report' || output.event.type !== 'host.ready') return true;
      this.#ready = output.event;
      return false;
    });
    return [...passed, ...this.#whenAllAreOpen()];
  }

  #whenAllAreOpen(): readonly NetOutput<Happening>[] {
    const ready = this.#ready;
    if (ready === undefined || this.#ports.size < this.#further.length) return NOTHING;
    this.#ready = undefined;
    const doors = this.#further.map(({ target }, index): Happening => {
      return { type: 'host.door', target, port: this.#ports.get(FIRST_DOOR + index) ?? 0 };
    });
    return [...doors, ready].map((event) => ({ type: 'report', event }));
  }
}

/** A machine with its doors; one with a single door is itself. `port`: of the first, 0: any. */
export const withDoors = (
  machine: NetMachine<Happening, ActorCommand>,
  doors: readonly Door<Address>[],
  port: number,
): NetMachine<Happening, ActorCommand> =>
  doors.length < 2 ? machine : new Doors(machine, doors.slice(1), port);
