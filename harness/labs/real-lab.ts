/** A lab of real hosts: brings a topology up on a ground, runs the director in real time, tears it down. */
import { connNames, NodeDriver } from '../../reference-impl/drivers/node.ts';
import type { ActorCommand } from '../agents/actor-spec.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { bringUp, readerOf } from './bring-up.ts';
import { Databases } from './databases.ts';
import type { Ground } from './ground.ts';
import { Hosts } from './hosts.ts';
import type { Director, Lab, LabContext, LabName, Order } from './lab.ts';
import { RealFaults } from './real-faults.ts';
import { watchSpareTime } from './spare-time.ts';
import type { Topology } from './topology.ts';

/** The forwarder is a program: it tells its public port to people, in a line. */
const ESTABLISHED = /^established relay address: .*:(\d+)$/;

export class RealLab implements Lab {
  readonly name: LabName;
  readonly forms: Lab['forms'];
  readonly #ground: Ground;

  constructor(name: LabName, forms: Lab['forms'], ground: Ground) {
    this.name = name;
    this.forms = forms;
    this.#ground = ground;
  }

  get packetLinks(): Ground['packetLinks'] {
    return this.#ground.packetLinks;
  }

  async run(topology: Topology, director: Director, context: LabContext): Promise<void> {
    const askedAt = performance.now();
    const databases = new Databases(topology, this.#ground.shares);
    const hosts = new Hosts(databases.topology, this.#ground, context);
    const session = new Session(hosts);
    let unwatch = (): void => {};
    const live = async (): Promise<void> => {
      context.signal.throwIfAborted();
      await databases.open(context.signal);
      await this.#ground.open(hosts.topology, context);
      hosts.begin();
      await bringUp(hosts);
      const millis = Math.round(performance.now() - askedAt);
      hosts.stamper.say('runner', { type: 'lab.started', sites: topology.sites.length, millis });
      unwatch = watchSpareTime((millis) => hosts.stamper.say('runner', { type: 'machine.busy', millis }));
      await session.direct(director);
    };
    try {
      // Whatever breaks or ends the run does so at once, whoever is still waiting for what.
      await Promise.race([live(), hosts.broken]);
    } catch (error) {
      hosts.fail(error);
      throw error;
    } finally {
      unwatch();
      session.end();
      hosts.end();
      const endedAt = performance.now();
      for (const left of await this.#ground.close()) context.progress(`left behind: ${left}`);
      if (context.keep && databases.carries)
        context.progress('the database is not reached any more: its socket ends with this command');
      await databases.close();
      if (!context.keep) context.tornDown?.(performance.now() - endedAt);
    }
  }
}

/** The director in real time: hears what the hosts say, and its orders are carried out. */
class Session {
  readonly #hosts: Hosts;
  readonly #faults: RealFaults;
  #director: NodeDriver<Order, TraceEvent> | undefined;
  /** What was said while actors still started: a client that registered then is no less registered. */
  #heardEarly: TraceEvent[] = [];

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
    this.#faults = new RealFaults(hosts);
    hosts.onEvent = (event) => this.#heard(event);
  }

  #heard(event: TraceEvent): void {
    if (this.#director === undefined) this.#heardEarly.push(event);
    else {
      this.#director.tell(event);
      this.#faults.heard(event);
    }
    if (event.type === 'host.output') this.#forwarderSaid(event.who, event.text);
  }

  #forwarderSaid(who: string, text: string): void {
    const port = ESTABLISHED.exec(text)?.[1];
    if (port !== undefined)
      this.#hosts.stamper.say(who, { type: 'client.registered', port: Number(port), mode: 'forwarder' });
  }

  /** Resolves when the director says finish. */
  direct(director: Director): Promise<void> {
    return new Promise((resolve) => {
      const report = (order: Order): void => {
        if (order.do !== 'finish') return this.#perform(order);
        const { complete, why } = order;
        this.#hosts.stamper.say('runner', { type: 'run.ended', complete, why });
        this.#hosts.end();
        resolve();
      };
      // The timeline counts from here: how long actors took to start is not its business.
      const readyMicros = this.#hosts.micros();
      const clock = (): number => (this.#hosts.micros() - readyMicros) / 1000;
      this.#director = new NodeDriver(director, { name: connNames(), report, clock });
      this.#director.start();
      for (const event of this.#heardEarly.splice(0)) this.#director.tell(event);
    });
  }

  end(): void {
    this.#director?.destroy();
    this.#director = undefined;
    this.#heardEarly = [];
  }

  #perform(order: Exclude<Order, { do: 'finish' }>): void {
    const hosts = this.#hosts;
    switch (order.do) {
      case 'tell':
        return hosts.tell(order.who, {
          do: 'tell',
          who: order.who,
          command: this.#addressed(order.command),
        });
      case 'stop':
        return hosts.tell(order.who, { do: 'stop', who: order.who, how: 'orderly' });
      case 'read': {
        const who = readerOf(order.server);
        return hosts.tell(who, { do: 'tell', who, command: { do: 'read' } });
      }
      case 'audit':
        // Without a relay there are no books to look at.
        if (hosts.topology.relay !== undefined)
          hosts.tell('relay', { do: 'audit', who: 'relay', moment: order.moment });
        return;
      case 'say':
        return hosts.stamper.say('runner', order.event);
      case 'fault':
        return this.#faults.perform(order);
    }
  }

  /** The director says `relay`; here it has an address. */
  #addressed(command: ActorCommand): ActorCommand {
    if (command.do !== 'open') return command;
    return { ...command, to: { host: this.#hosts.ground.address('relay'), port: command.to.port } };
  }
}
