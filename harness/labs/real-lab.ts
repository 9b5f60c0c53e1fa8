/** A lab of real hosts: brings a topology up on a ground, runs the director in real time, tears it down. */
import { connNames, NodeDriver } from '../../reference-impl/drivers/node.ts';
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorCommand, ActorSpec, Ref } from '../agents/actor-spec.ts';
import { Stamper } from '../trace/stamp.ts';
import type { TraceEvent } from '../trace/trace.ts';
import type { AgentChannel, Ground } from './ground.ts';
import { type Director, type Lab, type LabContext, LabError, type LabName, type Order } from './lab.ts';
import { resolved, sitePaths } from './paths.ts';
import { relayProgram } from './relay-program.ts';
import type { FaultOrder, Site, Topology } from './topology.ts';

const READY_MILLIS = 20_000;
/** A relay that crashes is started again after this long, and no more often than this. */
const RESTART_MILLIS = 500;
const CRASHES_MAX = 20;

export class RealLab implements Lab {
  readonly name: LabName;
  readonly forms: Lab['forms'];
  readonly #ground: Ground;

  constructor(name: LabName, forms: Lab['forms'], ground: Ground) {
    this.name = name;
    this.forms = forms;
    this.#ground = ground;
  }

  async run(topology: Topology, director: Director, context: LabContext): Promise<void> {
    const session = new Session(topology, this.#ground, context);
    try {
      await session.start();
      await session.direct(director);
    } finally {
      if (!context.keep)
        for (const left of await this.#ground.close()) context.progress(`left behind: ${left}`);
    }
  }
}

/** One run of a lab. */
class Session {
  readonly #topology: Topology;
  readonly #ground: Ground;
  readonly #context: LabContext;
  /** t = 0 of the trace: when the hosts are there and the actors are about to start. */
  #base = process.hrtime.bigint();
  readonly #ports = new Map<Ref, number>();
  readonly #awaited = new Map<Ref, { resolve: (port: number) => void; reject: (error: Error) => void }>();
  readonly #stamper: Stamper;
  readonly #channels = new Set<AgentChannel>();
  #director: NodeDriver<Order, TraceEvent> | undefined;
  #fail: ((error: Error) => void) | undefined;
  #crashes = 0;
  /** What was said while actors still started: a client that registered then is no less registered. */
  #heardEarly: TraceEvent[] = [];

  constructor(topology: Topology, ground: Ground, context: LabContext) {
    this.#topology = topology;
    this.#ground = ground;
    this.#context = context;
    this.#stamper = new Stamper(
      () => this.#micros(),
      (event) => this.#heard(event),
    );
  }

  #micros(): number {
    return Number((process.hrtime.bigint() - this.#base) / 1000n);
  }

  #heard(event: TraceEvent): void {
    this.#context.sink(event);
    const waiting = this.#awaited.get(event.who);
    if (event.type === 'host.ready') {
      this.#ports.set(event.who, event.port);
      this.#awaited.delete(event.who);
      waiting?.resolve(event.port);
    } else if (event.type === 'host.crashed' && waiting !== undefined) {
      this.#awaited.delete(event.who);
      waiting.reject(
        new LabError(`${event.who} did not start: ${event.reason}`, 'run it by hand to see why'),
      );
    }
    if (event.type === 'host.crashed' && event.who === 'relay' && waiting === undefined) this.#relayCrashed();
    if (this.#director === undefined) this.#heardEarly.push(event);
    else this.#director.tell(event);
    if (event.type === 'host.output') this.#forwarderSaid(event.who, event.text);
  }

  /** A relay that ended by itself has failed its clause; it is started again, so that the rest can still be judged. */
  #relayCrashed(): void {
    if (this.#director === undefined || this.#crashes++ >= CRASHES_MAX) return;
    setTimeout(() => {
      if (this.#director !== undefined && !this.#awaited.has('relay')) this.#startRelay();
    }, RESTART_MILLIS);
  }

  #startRelay(): void {
    const { relay, keepaliveMillis } = this.#topology;
    const actor = relayProgram(relay, keepaliveMillis, this.#ground.address('relay'), this.#ground);
    const bind = this.#ground.bind('relay');
    this.#ground.channel('relay').send({ do: 'start', who: 'relay', actor, bind, watch: false });
  }

  /** The forwarder is a program: it tells its public port to people, in a line. */
  #forwarderSaid(who: Ref, text: string): void {
    const port = /^established relay address: .*:(\d+)$/.exec(text)?.[1];
    if (port !== undefined)
      this.#stamper.say(who, { type: 'client.registered', port: Number(port), mode: 'forwarder' });
  }

  async start(): Promise<void> {
    const { sites, outside, relay } = this.#topology;
    await this.#ground.open(this.#topology, this.#context);
    this.#context.signal.throwIfAborted();
    this.#base = process.hrtime.bigint();
    for (const host of ['relay', 'users', ...sites.map((site) => site.name)]) {
      const channel = this.#ground.channel(host);
      if (this.#channels.has(channel)) continue;
      this.#channels.add(channel);
      channel.onEvent = (event) => this.#heard(event);
      channel.onGone = (reason) => this.#gone(host, reason);
      channel.send({ do: 'begin', base: String(this.#base), seed: this.#context.seed });
    }
    const address = this.#ground.address('relay');
    await this.#launch(
      'relay',
      'relay',
      relayProgram(relay, this.#topology.keepaliveMillis, address, this.#ground),
      false,
      true,
    );
    const scripts = outside.filter(({ actor }) => actor.kind === 'script');
    await this.#startOutside(outside.filter((hosted) => !scripts.includes(hosted)));
    await Promise.all(sites.map((site) => this.#startSite(site)));
    // Last: a script waits for what the timeline does, and its patience must not be spent on slow starts.
    await this.#startOutside(scripts);
  }

  async #startOutside(hosted: Topology['outside']): Promise<void> {
    await Promise.all(
      hosted.map(({ who, actor, watch }) => {
        const spec = resolved(actor, (ref) => this.#outsideAddress(ref));
        return this.#launch('users', who, spec, watch, actor.kind === 'sink');
      }),
    );
  }

  async #startSite(site: Site): Promise<void> {
    const bind = this.#ground.bind(site.name);
    const entries = new Map<Ref, Address>();
    for (const path of sitePaths(
      site,
      this.#topology,
      this.#ground.kernelNat === undefined,
      this.#ground.publicHost(site),
    )) {
      let towards = this.#outsideAddress(path.target);
      for (const { who, spec } of path.hops) {
        const port = await this.#launch(site.name, who, spec(towards), false, true);
        towards = { host: bind, port };
      }
      entries.set(path.target, towards);
    }
    const address = (ref: Ref): Address => entries.get(ref) ?? { host: bind, port: this.#port(ref) };
    const listening = site.actors.filter(({ actor }) => actor.kind === 'service');
    const others = site.actors.filter(({ actor }) => actor.kind !== 'service');
    await Promise.all(
      listening.map(({ who, actor, watch }) =>
        this.#launch(site.name, who, resolved(actor, address), watch, true),
      ),
    );
    for (const { who, actor, watch } of others) {
      const spec = resolved(actor, address);
      await this.#launch(
        site.name,
        who,
        spec.kind === 'forwarder' ? this.#forwarder(spec) : spec,
        watch,
        false,
      );
    }
  }

  /** In real labs the forwarder is the program people run. */
  #forwarder(spec: Extract<ActorSpec<Address>, { kind: 'forwarder' }>): ActorSpec<Address> {
    const { node, root } = this.#ground;
    const bin = `${root}/reference-impl/port-relay/bin/relay.ts`;
    const { relay, service } = spec;
    const argv = [
      node,
      bin,
      `--localForwardPort=${service.port}`,
      '--log-level',
      'warn',
      relay.host,
      String(relay.port),
    ];
    return { kind: 'program', argv, env: {}, host: service.host, listens: false };
  }

  #port(ref: Ref): number {
    const port = this.#ports.get(ref);
    if (port === undefined) throw new Error(`${ref} was asked for before it was started`);
    return port;
  }

  #outsideAddress(ref: Ref): Address {
    return { host: this.#ground.address(ref === 'relay' ? 'relay' : 'users'), port: this.#port(ref) };
  }

  /** @returns the port it listens on, 0 if it does not */
  async #launch(
    host: string,
    who: Ref,
    actor: ActorSpec<Address>,
    watch: boolean,
    listens: boolean,
  ): Promise<number> {
    this.#context.signal.throwIfAborted();
    const ready = listens ? this.#ready(who) : Promise.resolve(0);
    this.#ground.channel(host).send({ do: 'start', who, actor, bind: this.#ground.bind(host), watch });
    return ready;
  }

  #ready(who: Ref): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#awaited.delete(who);
        reject(
          new LabError(
            `${who} was not ready within ${READY_MILLIS / 1000} s`,
            'is the machine overloaded? try fewer sites',
          ),
        );
      }, READY_MILLIS);
      this.#awaited.set(who, {
        resolve: (port) => {
          clearTimeout(timer);
          resolve(port);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  #gone(host: string, reason: string): void {
    const error = new LabError(
      `the agent of ${host} is gone: ${reason}`,
      'this is the lab, not the relay: run again',
    );
    for (const waiting of this.#awaited.values()) waiting.reject(error);
    this.#awaited.clear();
    this.#fail?.(error);
  }

  /** Lets the director run until it says finish, the lab breaks, or somebody presses Ctrl-C. */
  direct(director: Director): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: unknown): void => {
        this.#director?.destroy();
        this.#director = undefined;
        for (const channel of this.#channels) channel.onGone = () => {};
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#fail = end;
      const { signal } = this.#context;
      if (signal.aborted) return end(signal.reason);
      signal.addEventListener('abort', () => end(signal.reason), { once: true });
      const name = connNames();
      const report = (order: Order): void => {
        if (order.do === 'finish') {
          this.#stamper.say('runner', { type: 'run.ended', complete: order.complete, why: order.why });
          end(undefined);
        } else this.#perform(order);
      };
      // The timeline counts from here: how long actors took to start is not its business.
      const readyMicros = this.#micros();
      this.#director = new NodeDriver(director, {
        name,
        report,
        clock: () => (this.#micros() - readyMicros) / 1000,
      });
      this.#director.start();
      for (const event of this.#heardEarly.splice(0)) this.#director.tell(event);
    });
  }

  #perform(order: Exclude<Order, { do: 'finish' }>): void {
    switch (order.do) {
      case 'tell':
        return this.#channel(order.who).send({
          do: 'tell',
          who: order.who,
          command: this.#addressed(order.command),
        });
      case 'stop':
        return this.#channel(order.who).send({ do: 'stop', who: order.who, how: 'orderly' });
      case 'audit':
        return this.#ground.channel('relay').send({ do: 'audit', who: 'relay', moment: order.moment });
      case 'say':
        return this.#stamper.say('runner', order.event);
      case 'fault':
        this.#fault(order).catch((error: unknown) => this.#fail?.(error as Error));
    }
  }

  /** The director says `relay`; here it has an address. */
  #addressed(command: ActorCommand): ActorCommand {
    if (command.do !== 'open') return command;
    return { ...command, to: { host: this.#ground.address('relay'), port: command.to.port } };
  }

  #channel(who: Ref): AgentChannel {
    const host = who.includes('/') ? who.slice(0, who.indexOf('/')) : who;
    return this.#ground.channel(host);
  }

  async #fault(order: FaultOrder): Promise<void> {
    const { fault, site: name, what } = order;
    if (what.kind === 'outage') return this.#outage(fault, what.millis);
    const site = this.#topology.sites.find((candidate) => candidate.name === name);
    if (site === undefined) throw new Error(`fault ${fault}: no site is called ${name}`);
    if (what.kind === 'link') {
      const command = { do: 'link', fault, what: what.fault, forMillis: what.forMillis } as const;
      return this.#channel(name).send({ do: 'tell', who: `${name}/link`, command });
    }
    const { kernelNat } = this.#ground;
    if (kernelNat === undefined) {
      const command = { do: 'nat', fault, event: what.event } as const;
      return this.#channel(name).send({ do: 'tell', who: `${name}/nat`, command });
    }
    const receipt = await kernelNat.fault(site, order);
    const kind = `nat ${what.event.kind}`;
    const cause = what.event.kind;
    if (cause !== 'flap' && receipt.effects > 0)
      this.#stamper.say(`${name}/nat`, { type: 'nat.dropped', mappings: receipt.effects, cause });
    this.#stamper.say(`${name}/nat`, { type: 'fault.receipt', fault, kind, site: name, ...receipt });
    this.#stamper.say(`${name}/nat`, { type: 'fault.ended', fault, kind, site: name });
  }

  /** The relay is killed without a word and started again on the same port. */
  async #outage(fault: number, millis: number): Promise<void> {
    const channel = this.#ground.channel('relay');
    const kind = 'outage';
    channel.send({ do: 'stop', who: 'relay', how: 'kill' });
    await new Promise((resolve) => setTimeout(resolve, millis));
    const ready = this.#ready('relay');
    this.#startRelay();
    const port = await ready;
    const text = `relay killed, listening again on port ${port}`;
    this.#stamper.say('runner', { type: 'fault.receipt', fault, kind, site: '', effects: 2, text });
    this.#stamper.say('runner', { type: 'fault.ended', fault, kind, site: '' });
  }
}
