/** Everything in one process under virtual time: the same machines, the same bytes, no waiting. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { poisoned } from '../../../reference-impl/drivers/poisoned.ts';
import { Sim } from '../../../reference-impl/drivers/sim.ts';
import type { Address } from '../../../reference-impl/machine/machine.ts';
import type { ActorCommand, ActorSpec, Ref } from '../../agents/actor-spec.ts';
import { makeActor } from '../../agents/actors.ts';
import type { Disk } from '../../agents/point-store.ts';
import { TraceWire } from '../../agents/wire-watch.ts';
import { Stamper } from '../../trace/stamp.ts';
import type { Happening, TraceEvent } from '../../trace/trace.ts';
import type { Director, Lab, LabContext, Order } from '../lab.ts';
import { resolved, siteWay } from '../paths.ts';
import { type FaultOrder, type Site, serverNames, type Topology } from '../topology.ts';
import { Census, type Counted } from './census.ts';
import { hasBorder, SiteBorder } from './site-border.ts';

const RELAY_PORT = 4000;
/** Every simulated host listens on this one: each has all ports to itself. */
const PORT = 5000;
/** Virtual time between two looks at Ctrl-C and the screen. */
const SLICE_MILLIS = 500;
const RUN_MILLIS_MAX = 3_600_000;

export class SimLab implements Lab {
  readonly name = 'sim';
  readonly forms = { nat: 'userspace', link: 'userspace' };

  async run(topology: Topology, director: Director, context: LabContext): Promise<void> {
    // A world of 10,000 clients lives in 160 MB; V8 left to itself lets 700 MB of garbage lie beside it. Half the growth
    // between collections costs a twelfth more CPU and halves the resident memory (measured with 1,000 sites x 10 clients).
    // Of a run in islands one world is there at a time, so there is room: rare collections, for half a gigabyte in all. (The flags
    // that decide between one and several collecting threads must be set before the engine starts: set here they end the process.)
    setFlagsFromString(`--heap-growing-percent=${context.sample === undefined ? 45 : 500}`);
    const world = new World(topology, context);
    world.start(director);
    for (let until = SLICE_MILLIS; !world.finished; until += SLICE_MILLIS) {
      if (until > RUN_MILLIS_MAX) return world.end(false, 'an hour of virtual time is over');
      poisoned(() => world.sim.runUntil(() => world.finished, until));
      world.count(false);
      await turn();
      if (!context.signal.aborted || world.finished) continue;
      world.end(false, 'interrupted');
      context.signal.throwIfAborted();
    }
  }
}

class World {
  readonly sim: Sim;
  finished = false;
  /** Of a world that is told of in part. */
  readonly #census: Census | undefined;
  readonly #topology: Topology;
  readonly #context: LabContext;
  readonly #stamper: Stamper;
  readonly #disks = new Map<string, Disk>();
  /** The wire is for judges; what a director waits for are words of the actors. */
  #hears: (type: TraceEvent['type']) => boolean = (type) => !type.startsWith('conn.');

  constructor(topology: Topology, context: LabContext) {
    this.#census = context.sample === undefined ? undefined : new Census();
    this.#topology = topology;
    this.#context = context;
    this.sim = new Sim({ seed: context.seed });
    this.#stamper = new Stamper(
      () => this.sim.now * 1000,
      (event) => this.#heard(event),
    );
  }

  #heard(event: TraceEvent): void {
    this.#context.sink(event);
    if (this.#hears(event.type)) this.sim.tell('runner', event);
  }

  start(director: Director): void {
    if (director.hears !== undefined) this.#hears = (type) => director.hears?.(type) === true;
    const { sites, outside } = this.#topology;
    this.sim.add('runner', director, { place: 'runner', report: (order) => this.#perform(order as Order) });
    for (const name of serverNames(this.#topology)) this.#add(name, name, this.#server(name), false);
    for (const { who, actor, watch } of outside)
      this.#add('users', who, resolved(actor, outsideAddress), watch);
    for (const site of sites) {
      if (this.#hasBorder(site)) {
        this.#startBehindBorder(site);
        continue;
      }
      const entries = new Map<Ref, Address>();
      const { targets, hops } = siteWay(site, this.#topology, true, `nat/${site.name}`);
      let towards = outsideAddress;
      for (const { who, spec } of hops) {
        this.#add(site.name, who, spec(towards), false);
        towards = (target) => ({ host: who, port: PORT + targets.indexOf(target) });
      }
      for (const target of targets) entries.set(target, towards(target));
      const address = (ref: Ref): Address => entries.get(ref) ?? { host: ref, port: PORT };
      for (const { who, actor, watch } of site.actors)
        this.#add(site.name, who, resolved(actor, address), watch);
    }
  }

  #hasBorder(site: Site): boolean {
    const { sample } = this.#context;
    return sample?.isWhole(site.name) === false && hasBorder(site, this.#topology.keepaliveMillis);
  }

  /** Its actors dial what is outside themselves. */
  #startBehindBorder(site: Site): void {
    this.sim.border(site.name, new SiteBorder(site, `nat/${site.name}`, this.#context.seed));
    const inside = new Set(site.actors.map(({ who }) => who));
    const known = new Map<Ref, Address>();
    const address = (ref: Ref): Address =>
      known.getOrInsertComputed(ref, () =>
        inside.has(ref) ? { host: ref, port: PORT } : outsideAddress(ref),
      );
    for (const { who, actor, watch } of site.actors)
      this.#add(site.name, who, resolved(actor, address), watch);
  }

  #server(name: Ref): ActorSpec<Address> {
    const { relay, servers = [], keepaliveMillis } = this.#topology;
    if (name === 'relay' && relay !== undefined) {
      const { limits, defect } = relay;
      return { kind: 'relay', port: RELAY_PORT, limits: { keepaliveMillis, ...limits }, defect };
    }
    const server = servers.find((candidate) => candidate.name === name);
    if (server === undefined) throw new Error(`no server is called ${name}`);
    return resolved(server.actor, outsideAddress);
  }

  #make(spec: ActorSpec<Address>, who: string): ReturnType<typeof makeActor> {
    const { seed } = this.#context;
    return makeActor(spec, { name: this.sim.name, seed, who, port: PORT, disks: this.#disks });
  }

  #add(place: string, who: Ref, spec: ActorSpec<Address>, watch: boolean): void {
    const isTold = this.#context.sample?.isTold(who) ?? true;
    const say = isTold ? (event: Happening): void => this.#stamper.say(who, event) : undefined;
    const machine = this.#make(spec, who);
    const wire = watch && say !== undefined ? { watch: new TraceWire(say) } : {};
    this.sim.add(who, machine, { place, report: this.#reporter(say, spec.kind), ...wire });
  }

  /** What is done with an actor's words. @param say undefined: they are only counted */
  #reporter(
    say: ((event: Happening) => void) | undefined,
    kind: ActorSpec<Address>['kind'],
  ): (event: unknown) => void {
    const census = this.#census;
    if (census === undefined) return say as (event: unknown) => void;
    // a forwarder is a program with its own ways: it is no client of the totals
    const counted: Counted | undefined = kind === 'client' ? { up: false } : undefined;
    return (event: unknown): void => {
      const happening = event as Happening;
      if (counted !== undefined) census.heard(happening.type, counted);
      // a relay speaks of everybody
      if (say !== undefined && (kind !== 'relay' || !happening.type.startsWith('relay.'))) say(happening);
    };
  }

  /** Says the totals of the seconds that are over. @param last and of the one under way */
  count(last: boolean): void {
    if (this.#census === undefined || (this.finished && !last)) return;
    for (const row of this.#census.rows(this.sim.now, last)) this.#stamper.say('runner', row);
  }

  #perform(order: Order): void {
    switch (order.do) {
      case 'tell':
        return this.sim.tell(order.who, order.command);
      case 'stop':
        return this.sim.stop(order.who);
      // Here a server's store is its own memory: it tells what lies there.
      case 'read':
        return this.sim.tell(order.server, { do: 'read' });
      case 'audit': {
        if (this.#topology.relay === undefined) return;
        const { conns, listeners } = this.sim.audit('relay');
        const books = {
          fds: conns + listeners,
          sockets: conns + listeners,
          listening: listeners,
          rssBytes: -1,
        };
        return this.#stamper.say('relay', { type: 'audit.relay', moment: order.moment, ...books });
      }
      case 'say':
        return this.#stamper.say('runner', order.event);
      case 'fault':
        return this.#fault(order);
      case 'finish':
        return this.end(order.complete, order.why);
    }
  }

  end(complete: boolean, why: string): void {
    this.count(true);
    this.#stamper.say('runner', { type: 'run.ended', complete, why });
    this.finished = true;
  }

  #fault({ fault, site, what }: FaultOrder): void {
    if (what.kind === 'outage') return this.#outage(fault, site, what);
    const actor = `${site}/${what.kind}`;
    const command: ActorCommand =
      what.kind === 'nat'
        ? { do: 'nat', fault, event: what.event }
        : { do: 'link', fault, what: what.fault, forMillis: what.forMillis };
    this.sim.tell(actor, command);
  }

  #outage(
    fault: number,
    site: string,
    { server, millis }: Extract<FaultOrder['what'], { kind: 'outage' }>,
  ): void {
    const kind = 'outage';
    const { conns } = this.sim.audit(server);
    this.sim.crash(server, 'reset');
    this.#stamper.say(server, { type: 'host.stopped', code: -1 });
    this.sim.after(millis, () => {
      // A restarted relay needs a new stream of ids, or the old ones would be good again.
      const who = `${server}@${this.sim.now}`;
      this.sim.restart(server, this.#make(this.#server(server), who));
      const text = `${server} killed with ${conns} connections, started again after ${millis} ms`;
      this.#stamper.say('runner', { type: 'fault.receipt', fault, kind, site, effects: conns + 1, text });
      this.#stamper.say('runner', { type: 'fault.ended', fault, kind, site });
    });
  }
}

const outsideAddress = (ref: Ref): Address => ({ host: ref, port: ref === 'relay' ? RELAY_PORT : PORT });
