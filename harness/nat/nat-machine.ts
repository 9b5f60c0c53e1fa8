import type {
  CommandInput,
  Millis,
  NetInput,
  NetMachine,
  NetOutput,
} from '../../reference-impl/machine/machine.ts';
import { NOTHING, soonest } from '../../reference-impl/machine/machine.ts';
import { durationNote } from './nat.ts';
import { NatConnections } from './nat-connections.ts';
import type { NatOptions } from './nat-options.ts';
import type { NatCommand, NatReport } from './nat-report.ts';
import { counted, newTally, tallyReceipt } from './nat-report.ts';

type Outage = {
  readonly command: Extract<NatCommand, { do: 'reboot' | 'flap' }>;
  readonly effects: number;
  readonly heldBefore: number;
};

/**
 * A TCP NAT in user space: accepts on the inner side, gives each connection a public port, dials the upstream from it and
 * carries bytes, half-closes and resets both ways, until the mapping is gone. Every command ends in one `nat.receipt`. What is
 * only an approximation of a kernel's NAT is listed in `forms.ts`.
 */
export class NatMachine implements NetMachine<NatReport, NatCommand> {
  readonly #listen: NatOptions['listen'];
  readonly #connections: NatConnections;
  #downUntil: Millis | undefined;
  /** Their receipts are written when the gateway is up again. */
  #outages: Outage[] = [];
  #heldInOutage = 0;
  #stopped = false;

  constructor(options: NatOptions) {
    this.#listen = options.listen;
    this.#connections = new NatConnections(options);
  }

  deadline(): Millis | undefined {
    return this.#stopped ? undefined : soonest(this.#connections.deadline(), this.#downUntil);
  }

  handle(now: Millis, input: NetInput | CommandInput<NatCommand>): readonly NetOutput<NatReport>[] {
    if (this.#stopped) return input.type === 'accepted' ? [{ type: 'reset', conn: input.conn }] : NOTHING;
    const connections = this.#connections;
    switch (input.type) {
      case 'start':
        connections.out.push({ type: 'listen', listener: 0, ...this.#listen });
        break;
      case 'stop':
        this.#stop();
        break;
      case 'deadline':
        if (this.#downUntil !== undefined && now >= this.#downUntil) this.#up(now);
        connections.wake(now);
        break;
      case 'listening':
        this.#say({ type: 'nat.ready', port: input.port });
        break;
      case 'unlistened':
        this.#say({ type: 'nat.failed', why: input.why });
        break;
      case 'accepted':
        if (this.#downUntil !== undefined) this.#heldInOutage++;
        connections.accept(now, input.conn, input.from, input.listener);
        break;
      case 'stream':
        connections.out.push({ type: 'reset', conn: input.conn });
        break;
      case 'command':
        this.#command(now, input.command);
        break;
      case 'connected':
      case 'bytes':
      case 'ended':
      case 'flushed':
      case 'closed':
        connections.about(now, input);
        break;
    }
    const out = connections.out;
    if (out.length === 0) return NOTHING;
    connections.out = [];
    return out;
  }

  #say(event: NatReport): void {
    this.#connections.out.push({ type: 'report', event });
  }

  #receipt(command: NatCommand, effects: number, text: string): void {
    this.#say({ type: 'nat.receipt', id: command.id, kind: command.do, effects, text });
  }

  #command(now: Millis, command: NatCommand): void {
    const connections = this.#connections;
    switch (command.do) {
      case 'reboot': {
        // Down first: a dial that is forgotten must not start again before the gateway is back.
        if (command.downMillis > 0) connections.down();
        const dropped = connections.forget(now, 'reboot', 0);
        this.#outage(now, command, command.downMillis, dropped);
        break;
      }
      case 'flap':
        this.#outage(now, command, command.millis, 0);
        break;
      case 'readdress': {
        connections.readdress(command.publicHost);
        const dropped = connections.forget(now, 'readdress', 0);
        this.#receipt(
          command,
          dropped,
          `${counted(dropped, 'mapping')} dropped, now ${command.publicHost ?? 'elsewhere'}`,
        );
        break;
      }
      case 'expire': {
        const dropped = connections.forget(now, 'expire', command.idleMillis);
        this.#receipt(command, dropped, `${counted(dropped, 'mapping')} dropped`);
        break;
      }
      case 'receipt':
        this.#say(tallyReceipt(command.id, connections.tally));
        Object.assign(connections.tally, newTally());
        break;
    }
  }

  #outage(now: Millis, command: Outage['command'], millis: Millis, dropped: number): void {
    if (millis <= 0) {
      this.#receipt(command, dropped, `${counted(dropped, 'mapping')} dropped, no time down`);
      return;
    }
    const effects = command.do === 'reboot' ? dropped : this.#connections.down();
    this.#downUntil = Math.max(now + millis, this.#downUntil ?? 0);
    this.#outages.push({ command, effects, heldBefore: this.#heldInOutage });
  }

  #up(now: Millis): void {
    this.#downUntil = undefined;
    this.#connections.up(now);
    for (const { command, effects, heldBefore } of this.#outages) {
      const held = this.#heldInOutage - heldBefore;
      const [done, millis] =
        command.do === 'reboot'
          ? [`${counted(effects, 'mapping')} dropped`, command.downMillis]
          : [`${counted(effects, 'connection')} stalled`, command.millis];
      const text = `${done}, down ${durationNote(millis)}, ${counted(held, 'new connection')} held`;
      this.#receipt(command, effects + held, text);
    }
    this.#outages = [];
  }

  #stop(): void {
    this.#stopped = true;
    this.#connections.out.push({ type: 'unlisten', listener: 0 });
    const resets = this.#connections.stop();
    this.#say({ type: 'nat.stopped', resets });
  }
}
