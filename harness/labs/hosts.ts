/** The hosts of one run of a real lab as one hears and reaches them: agents, ports, who is ready, and how it all ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import type { AgentCommand } from '../agents/protocol.ts';
import { Stamper } from '../trace/stamp.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { AgentChannel, Ground } from './ground.ts';
import { type LabContext, LabError } from './lab.ts';
import { outsideHosts, serverNames, type Topology } from './topology.ts';

/** An actor that says nothing for this long will not come up any more. */
export const READY_MILLIS = 20_000;

type Awaited = { readonly resolve: (port: number) => void; readonly reject: (error: unknown) => void };

/**
 * Every event of an agent goes through here: into the trace, to whoever waits for its actor, to `onEvent`. After `fail` or
 * `end` nothing does: `run.ended` is the last line of a trace.
 */
export class Hosts {
  readonly topology: Topology;
  readonly ground: Ground;
  readonly stamper: Stamper;
  /** Rejects when the lab breaks (LabError) or the run is aborted (the signal's reason); else it never settles. */
  readonly broken: Promise<never>;
  /** Hears every event after it is written down. */
  onEvent: (event: TraceEvent) => void = () => {};
  readonly #context: LabContext;
  readonly #over = new AbortController();
  readonly #break: (error: unknown) => void;
  readonly #ports = new Map<Ref, number>();
  /** Ports of further doors, by actor and target. */
  readonly #doors = new Map<string, number>();
  readonly #awaited = new Map<Ref, Awaited>();
  readonly #channels = new Set<AgentChannel>();
  /** Actors that run inside an agent. */
  readonly #machines = new Set<Ref>();
  readonly #aborted = (): void => this.fail(this.#context.signal.reason);
  /** t = 0 of the trace: when the hosts are there and the actors are about to start. */
  #base = process.hrtime.bigint();

  constructor(topology: Topology, ground: Ground, context: LabContext) {
    this.topology = topology;
    this.ground = ground;
    this.#context = context;
    this.stamper = new Stamper(
      () => this.micros(),
      (event) => this.#heard(event),
    );
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.broken = promise;
    this.#break = reject;
    const { signal } = context;
    if (signal.aborted) this.#aborted();
    else signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Since t = 0. */
  micros(): number {
    return Number((process.hrtime.bigint() - this.#base) / 1000n);
  }

  /** Listens to every agent and tells each when the run began. The ground is open. */
  begin(): void {
    this.#base = process.hrtime.bigint();
    for (const host of [...outsideHosts(this.topology), ...this.topology.sites.map((site) => site.name)]) {
      const channel = this.ground.channel(host);
      if (this.#channels.has(channel)) continue;
      this.#channels.add(channel);
      channel.onEvent = (event) => this.#heard(event);
      channel.onGone = (reason) =>
        this.fail(
          new LabError(
            `the agent of ${host} is gone: ${reason}`,
            'this is the lab, not the relay: run it again',
          ),
        );
      channel.send({ do: 'begin', base: String(this.#base), seed: this.#context.seed });
    }
  }

  #heard(event: TraceEvent): void {
    if (this.#over.signal.aborted) return;
    this.#context.sink(event);
    if (event.type === 'host.door') this.#doors.set(`${event.who} ${event.target}`, event.port);
    else if (event.type === 'host.ready') {
      this.#ports.set(event.who, event.port);
      this.#take(event.who)?.resolve(event.port);
    } else if (event.type === 'host.crashed') this.#crashed(event.who, event.reason);
    this.onEvent(event);
  }

  #crashed(who: Ref, reason: string): void {
    const awaited = this.#take(who);
    awaited?.reject(new LabError(`${who} did not start: ${reason}`, 'run it by hand to see why'));
    // A program may crash under test; a machine of ours that does is a mistake in the lab or in the scenario.
    if (awaited === undefined && this.#machines.has(who))
      this.fail(new LabError(`${who} broke: ${reason}`, 'this is the lab or its scenario, not the relay'));
  }

  #take(who: Ref): Awaited | undefined {
    const awaited = this.#awaited.get(who);
    this.#awaited.delete(who);
    return awaited;
  }

  /** The port of an actor that is ready. @throws Error when it never was */
  port(ref: Ref): number {
    const port = this.#ports.get(ref);
    if (port === undefined) throw new Error(`${ref} was asked for before it was started`);
    return port;
  }

  /** Where a link or NAT that is ready is dialled by whoever wants to reach this target. @throws Error when it never was */
  door(ref: Ref, target: Ref): number {
    return this.#doors.get(`${ref} ${target}`) ?? this.port(ref);
  }

  /** Where an actor on the open side (a server, or one on the host `users`) is reached. */
  outside(ref: Ref): Address {
    const host = serverNames(this.topology).includes(ref) ? ref : 'users';
    return { host: this.ground.address(host), port: this.port(ref) };
  }

  /** To the agent of an actor: its host is what stands before the stroke. */
  tell(who: Ref, command: AgentCommand): void {
    const host = who.includes('/') ? who.slice(0, who.indexOf('/')) : who;
    this.ground.channel(host).send(command);
  }

  /**
   * Starts an actor.
   * @returns the port it listens on, 0 if it is not to listen
   * @throws LabError when it crashes instead or is not ready in 20 s; the reason of the end when the run is over
   */
  async launch(
    host: string,
    who: Ref,
    actor: ActorSpec<Address>,
    how: { readonly watch: boolean; readonly listens: boolean },
  ): Promise<number> {
    this.#over.signal.throwIfAborted();
    if (actor.kind !== 'program') this.#machines.add(who);
    const ready = how.listens ? this.#ready(who) : Promise.resolve(0);
    const bind = this.ground.bind(host);
    this.ground.channel(host).send({ do: 'start', who, actor, bind, watch: how.watch });
    return ready;
  }

  #ready(who: Ref): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const awaited = { resolve, reject };
    this.#awaited.set(who, awaited);
    const timer = setTimeout(() => {
      if (this.#awaited.get(who) === awaited) this.#awaited.delete(who);
      reject(
        new LabError(
          `${who} was not ready within ${READY_MILLIS / 1000} s`,
          'is the machine overloaded? try fewer sites',
        ),
      );
    }, READY_MILLIS);
    return promise.finally(() => clearTimeout(timer));
  }

  /** @throws the reason of the end when the run is over before */
  async sleep(millis: number): Promise<void> {
    const { signal } = this.#over;
    await delay(millis, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }

  /** The lab broke, or nobody wants it any more: whoever waits for something hears this. The first reason counts. */
  fail(error: unknown): void {
    if (this.#over.signal.aborted) return;
    const why = this.#context.signal.aborted ? 'interrupted' : `the lab broke: ${textOf(error)}`;
    this.stamper.say('runner', { type: 'run.ended', complete: false, why });
    this.#end(error);
    this.#break(error);
  }

  /** The run is over: nothing more is written down, and nobody waits for anything. */
  end(): void {
    if (!this.#over.signal.aborted) this.#end(new Error('the run is over'));
  }

  #end(reason: unknown): void {
    this.#context.signal.removeEventListener('abort', this.#aborted);
    this.#over.abort(reason);
    for (const channel of this.#channels) channel.onGone = () => {};
    for (const { reject } of this.#awaited.values()) reject(reason);
    this.#awaited.clear();
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
