/** The client's end of the measurement relay: keeps a connection to its server and brings over what it is given. README.md. */
import { Backoff } from '../backoff/schedule.ts';
import {
  type CommandInput,
  type Conn,
  type Millis,
  type NetInput,
  type NetMachine,
  type NetOutput,
  NOTHING,
  soonest,
} from '../machine/machine.ts';
import { rngFor } from '../machine/rng.ts';
import { Answers } from './answers.ts';
import { ClientBuffer } from './client-buffer.ts';
import {
  type ClientCommand,
  type ClientConfig,
  type ClientCounters,
  type ClientFailure,
  type ClientReport,
  clientCounters,
} from './client-report.ts';
import { type ClientState, PHASE } from './client-state.ts';
import { announcesAck, greet } from './greeting.ts';
import { InFlight } from './in-flight.ts';
import { LostPoints } from './lost-points.ts';
import { type Content, frameOf, PROTOCOL_VERSION } from './messages.ts';
import { batchFrame } from './points-writer.ts';

type Input = NetInput | CommandInput<ClientCommand>;
export type ClientOutput = NetOutput<ClientReport>;

export class MeasurementClient implements NetMachine<ClientReport, ClientCommand> {
  readonly #config: ClientConfig;
  readonly #backoff: Backoff;
  readonly #counters = clientCounters();
  readonly #buffer: ClientBuffer;
  readonly #lost: LostPoints;
  #out: ClientOutput[] = [];
  #state: ClientState = 'idle';
  #conn: Conn | undefined;
  #answers = new Answers();
  #inFlight: InFlight;
  /** The server acknowledges on this connection. */
  #acknowledged = false;
  /** Metrics registered on this connection. */
  #registered = 0;
  /** The next batch to send on this connection, or the first behind it. */
  #cursor = 0;
  /** Next dial in `waiting`; end of our patience in `dialling`, `greeting`, `opening`. */
  #wakeAt: Millis | undefined;
  /** Told to stop: when the drain ends. */
  #drainedBy: Millis | undefined;

  constructor(config: ClientConfig) {
    this.#config = config;
    const { maxTimes, initialDelayMillis, maxDelayMillis, jitter = 0 } = config.retry;
    const schedule = { baseMillis: initialDelayMillis, factor: 2, capMillis: maxDelayMillis, jitter };
    const rng = config.rng ?? rngFor(0, config.clientName);
    this.#backoff = new Backoff({ ...schedule, healthyMillis: 0, triesMax: maxTimes }, rng);
    this.#lost = new LostPoints(this.#counters);
    this.#buffer = new ClientBuffer(config, this.#counters, this.#lost);
    this.#inFlight = new InFlight(config.bounds.sendMillis);
  }

  /** What became of every point. To be read; the client changes it. */
  get counters(): Readonly<ClientCounters> {
    return this.#counters;
  }

  deadline(): Millis | undefined {
    if (this.#state === 'stopped' || this.#state === 'idle') return undefined;
    return soonest(this.#wakeAt, this.#buffer.deadline(), this.#inFlight.deadline(), this.#drainedBy);
  }

  handle(now: Millis, input: Input): readonly ClientOutput[] {
    this.#take(now, input);
    if (this.#state === 'up') this.#pump(now);
    if (this.#drainedBy !== undefined) this.#leave();
    for (const event of this.#lost.take()) this.#report(event);
    if (this.#out.length === 0) return NOTHING;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #take(now: Millis, input: Input): void {
    switch (input.type) {
      case 'start':
        this.#buffer.start(now);
        this.#dial(now);
        return;
      case 'stop':
        this.#stop(now);
        return;
      case 'deadline':
        this.#expire(now);
        return;
      case 'command':
        this.#command(now, input.command);
        return;
      case 'connected':
        if (input.conn === this.#conn) this.#greet(now, input.conn);
        return;
      case 'bytes':
        if (input.conn === this.#conn) this.#bytes(now, input.bytes);
        return;
      case 'ended':
        if (input.conn === this.#conn && this.#state !== 'closing') this.#lose(now, 'server ended', 'FIN');
        return;
      case 'flushed':
        if (input.conn === this.#conn && !this.#acknowledged) this.#flushed(now);
        return;
      case 'closed':
        if (input.conn !== this.#conn) return;
        this.#conn = undefined;
        if (this.#state === 'closing') this.#stopped();
        else this.#lose(now, input.why, `after ${input.sent} bytes sent and ${input.received} received`);
        return;
      case 'listening':
      case 'unlistened':
      case 'accepted':
      case 'stream':
        return;
    }
  }

  #command(now: Millis, command: ClientCommand): void {
    if (command.type === 'flush') {
      this.#buffer.seal(now);
      return;
    }
    const { points } = command;
    if (this.#state === 'stopped' || (this.#state === 'gaveUp' && !this.#config.spool.durable)) {
      this.#counters.received += points.length;
      this.#lost.add(this.#state === 'gaveUp' ? 'gave up' : 'left behind', points.length, 'it came too late');
      return;
    }
    this.#buffer.append(now, points);
  }

  #dial(now: Millis): void {
    const conn = this.#config.name();
    this.#conn = conn;
    this.#state = 'dialling';
    this.#wakeAt = now + this.#config.bounds.dialMillis;
    this.#report({ type: 'client.dialing', attempt: this.#backoff.attempt });
    this.#out.push({ type: 'connect', conn, to: this.#config.server, from: undefined });
  }

  #greet(now: Millis, conn: Conn): void {
    const { keepaliveMillis, greetMillis } = this.#config.bounds;
    this.#state = 'greeting';
    this.#counters.connections++;
    this.#answers = new Answers();
    this.#acknowledged = false;
    this.#wakeAt = now + greetMillis;
    if (keepaliveMillis > 0) this.#out.push({ type: 'keepalive', conn, idleMillis: keepaliveMillis });
    this.#send(greet(this.#config.acknowledge));
  }

  #bytes(now: Millis, bytes: Uint8Array): void {
    // without acknowledgement the server has nothing more to say that we would understand
    if (this.#state === 'closing' || (this.#state === 'up' && !this.#acknowledged)) return;
    const answers = this.#answers;
    answers.push(bytes);
    const conn = this.#conn;
    while (this.#conn === conn) {
      const answer = answers.next();
      if (answer === undefined) return;
      if (answer instanceof Error) this.#lose(now, 'unexpected answer', answer.message);
      else this.#answer(now, answer);
    }
  }

  #answer(now: Millis, content: Content): void {
    if (this.#state === 'greeting' && content.tag === 'GreetResponse') this.#greeted(now, content.value);
    else if (this.#state === 'opening' && content.tag === 'SpoolOpened')
      this.#opened(now, content.value.stored);
    else if (this.#state === 'up' && content.tag === 'Acknowledge')
      this.#acknowledge(now, content.value.through);
    else if (this.#state !== 'up' || this.#acknowledged)
      this.#lose(now, 'unexpected answer', `${content.tag} while ${this.#state}`);
  }

  #greeted(now: Millis, greeting: Extract<Content, { tag: 'GreetResponse' }>['value']): void {
    const { accept, protocol_version, server_alumet_core_version, server_relay_plugin_version } = greeting;
    // a yes is worth nothing with another version beside it
    if (!accept || protocol_version !== PROTOCOL_VERSION) {
      this.#giveUp('version mismatch', `the server speaks ${protocol_version}, we ${PROTOCOL_VERSION}`);
      return;
    }
    this.#backoff.succeeded(now);
    this.#acknowledged = this.#config.acknowledge && announcesAck(server_relay_plugin_version);
    this.#report({
      type: 'client.greeted',
      server: { core: server_alumet_core_version, plugin: server_relay_plugin_version },
      acknowledges: this.#acknowledged,
    });
    if (!this.#acknowledged) {
      this.#up();
      return;
    }
    const { spool, bounds } = this.#config;
    this.#state = 'opening';
    // as patient as with a batch: the server may have to wait for one of ours that it stores at this moment
    this.#wakeAt = now + bounds.ackMillis;
    const first = spool.peek(0)?.number ?? spool.next;
    this.#send({ tag: 'OpenSpool', value: { spool: spool.id, first } });
  }

  #opened(now: Millis, stored: number | bigint | null): void {
    const { spool } = this.#config;
    const through = Number(stored ?? 0);
    if (through >= spool.next) {
      this.#report({ type: 'client.spoolRenewed', stored: through, next: spool.next });
      spool.renew();
      this.#hangUp();
      this.#dial(now);
      return;
    }
    this.#report({ type: 'client.spoolOpened', stored: stored === null ? undefined : through });
    if (through > 0) this.#trim(through);
    this.#up();
  }

  #up(): void {
    const { sendMillis, ackMillis } = this.#config.bounds;
    this.#state = 'up';
    this.#wakeAt = undefined;
    this.#registered = 0;
    this.#cursor = 0;
    this.#inFlight = new InFlight(this.#acknowledged ? ackMillis : sendMillis);
  }

  /** Sends what there is and what there is room for. */
  #pump(now: Millis): void {
    const { spool, clientName, bounds } = this.#config;
    const conn = this.#conn as Conn;
    this.#buffer.syncMetrics();
    const late = spool.metrics.slice(this.#registered);
    if (late.length > 0) {
      this.#registered = spool.metrics.length;
      this.#send({ tag: 'RegisterMetrics', value: { metrics: late } });
    }
    while (this.#inFlight.bytes < bounds.inFlightBytesMax) {
      const batch = spool.peek(this.#cursor);
      if (batch === undefined) return;
      this.#cursor = batch.number + 1;
      this.#inFlight.add(now, batch);
      this.#buffer.sentThrough = batch.number;
      this.#counters.sent += batch.points;
      this.#out.push({ type: 'send', conn, bytes: batchFrame(clientName, batch, this.#acknowledged) });
      this.#report({ type: 'client.sent', batch: batch.number, points: batch.points });
      if (!this.#acknowledged) this.#out.push({ type: 'flush', conn });
    }
  }

  /** The oldest batch has left us: all there is to know where nobody acknowledges. */
  #flushed(now: Millis): void {
    const number = this.#inFlight.first(now);
    if (number === undefined) return;
    this.#counters.unconfirmed += this.#config.spool.trim(number);
    this.#buffer.recount();
  }

  #acknowledge(now: Millis, through: number | bigint): void {
    const { last } = this.#inFlight;
    if (typeof through !== 'number' || through >= this.#cursor) {
      this.#lose(
        now,
        'unexpected answer',
        `Acknowledge ${through}, the last batch sent is ${last ?? 'none'}`,
      );
      return;
    }
    this.#inFlight.through(now, through);
    this.#trim(through);
  }

  #trim(through: number): void {
    const points = this.#config.spool.trim(through);
    this.#counters.acknowledged += points;
    this.#buffer.recount();
    this.#report({ type: 'client.acknowledged', through, points });
  }

  #expire(now: Millis): void {
    if (this.#drainedBy !== undefined && this.#drainedBy <= now) {
      this.#stopped();
      return;
    }
    this.#buffer.sealIfDue(now);
    if (this.#wakeAt !== undefined && this.#wakeAt <= now) {
      if (this.#state === 'waiting') this.#dial(now);
      else this.#lose(now, 'timeout', `no answer in time while ${this.#state}`);
      return;
    }
    const stalledAt = this.#inFlight.deadline();
    if (stalledAt === undefined || stalledAt > now) return;
    const detail = `${this.#inFlight.size} batches, ${this.#inFlight.bytes} bytes on their way`;
    this.#lose(now, this.#acknowledged ? 'no acknowledgement' : 'stalled', detail);
  }

  /** The connection, or the attempt at one, is over: again by the schedule. */
  #lose(now: Millis, why: ClientFailure, detail: string): void {
    const during = PHASE[this.#state];
    if (during === undefined) return;
    this.#hangUp();
    const waitMillis = this.#backoff.failed(now);
    const attempt = this.#backoff.attempt - (waitMillis === undefined ? 0 : 1);
    this.#report({ type: 'client.failed', during, why, detail, attempt, waitMillis });
    if (waitMillis === undefined) {
      this.#giveUp('retries used up', `${attempt} after the first attempt failed`);
      return;
    }
    this.#state = 'waiting';
    this.#wakeAt = now + waitMillis;
  }

  #giveUp(why: Extract<ClientReport, { type: 'client.gaveUp' }>['why'], detail: string): void {
    this.#hangUp();
    this.#state = 'gaveUp';
    this.#wakeAt = undefined;
    this.#report({ type: 'client.gaveUp', why, detail, left: this.#left() });
  }

  #hangUp(): void {
    if (this.#conn !== undefined) this.#out.push({ type: 'reset', conn: this.#conn });
    this.#conn = undefined;
    this.#inFlight = new InFlight(this.#config.bounds.sendMillis);
    this.#buffer.sentThrough = 0;
  }

  #stop(now: Millis): void {
    if (this.#state === 'stopped' || this.#state === 'idle' || this.#drainedBy !== undefined) {
      this.#stopped();
      return;
    }
    this.#buffer.seal(now);
    this.#drainedBy = now + this.#config.bounds.drainMillis;
    if (this.#state === 'waiting' && this.#left() > 0) this.#dial(now);
  }

  /** Told to stop: ends as soon as there is nothing to deliver, or nobody to deliver it to. */
  #leave(): void {
    if (this.#state === 'closing' || this.#state === 'stopped') return;
    if (this.#state === 'gaveUp') return this.#stopped();
    if (this.#left() > 0) return;
    if (this.#state !== 'up') return this.#stopped();
    this.#state = 'closing';
    this.#out.push({ type: 'end', conn: this.#conn as Conn });
  }

  #stopped(): void {
    this.#hangUp();
    const left = this.#left();
    this.#state = 'stopped';
    this.#wakeAt = undefined;
    this.#drainedBy = undefined;
    const { spool } = this.#config;
    if (left > 0 && !spool.durable) {
      spool.seal();
      spool.trim(spool.next);
      this.#buffer.recount();
      this.#lost.add('left behind', left, 'the client ended');
    }
    this.#report({ type: 'client.stopped', left });
  }

  #left(): number {
    return this.#counters.buffered + this.#counters.spooled;
  }

  #send(content: Content): void {
    const bytes = frameOf({ sender: this.#config.clientName, content });
    this.#out.push({ type: 'send', conn: this.#conn as Conn, bytes });
  }

  #report(event: ClientReport): void {
    this.#out.push({ type: 'report', event });
  }
}
