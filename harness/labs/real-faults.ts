/** The faults of a timeline on real hosts, and servers that are started again when they ended by themselves. */
import type { ActorCommand, Ref } from '../agents/actor-spec.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { startServer } from './bring-up.ts';
import { type Hosts, READY_MILLIS } from './hosts.ts';
import { LabError } from './lab.ts';
import { type FaultOrder, serverNames } from './topology.ts';

/** A server that crashes is started again after this long, and no more often than this. */
const RESTART_MILLIS = 500;
const CRASHES_MAX = 20;

/** What a server has been through. */
type Fate = {
  crashes: number;
  outages: number;
  /** An outage is under way: it is what brings the server back. */
  away: boolean;
};

export class RealFaults {
  readonly #hosts: Hosts;
  readonly #fates: ReadonlyMap<Ref, Fate>;

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
    this.#fates = new Map(
      serverNames(hosts.topology).map((name) => [name, { crashes: 0, outages: 0, away: false }]),
    );
  }

  /** A server that ended by itself has failed its clause; it is started again, so that the rest can still be judged. */
  heard(event: TraceEvent): void {
    const fate = event.type === 'host.crashed' ? this.#fates.get(event.who) : undefined;
    if (fate === undefined || fate.away || fate.crashes++ >= CRASHES_MAX) return;
    const { outages } = fate;
    const again = async (): Promise<void> => {
      await this.#hosts.sleep(RESTART_MILLIS);
      if (outages === fate.outages) await startServer(this.#hosts, event.who);
    };
    // If it crashes again, that is heard again; and after the run nobody wants it back.
    again().catch(() => {});
  }

  /** Performs one fault of the timeline; its receipt follows in the trace. A lab that cannot is broken. */
  perform(order: FaultOrder): void {
    this.#fault(order).catch((error: unknown) => this.#hosts.fail(error));
  }

  async #fault({ fault, site: name, what }: FaultOrder): Promise<void> {
    if (what.kind === 'outage') return this.#outage(fault, name, what);
    const { ground, topology, stamper } = this.#hosts;
    const site = topology.sites.find((candidate) => candidate.name === name);
    if (site === undefined) throw new Error(`fault ${fault}: no site is called ${name}`);
    const { packetLinks } = ground;
    if (what.kind === 'link' && packetLinks?.isPacket(what.fault) === true) {
      const receipt = await packetLinks.fault(site, { do: 'fault', fault, site: name, what });
      const kind = `link ${what.fault.kind}`;
      stamper.say(`${name}/link`, { type: 'fault.receipt', fault, kind, site: name, ...receipt });
      return stamper.say(`${name}/link`, { type: 'fault.ended', fault, kind, site: name });
    }
    if (what.kind === 'link')
      return this.#tell(`${name}/link`, { do: 'link', fault, what: what.fault, forMillis: what.forMillis });
    const who = `${name}/nat`;
    const { kernelNat } = ground;
    if (kernelNat === undefined) return this.#tell(who, { do: 'nat', fault, event: what.event });
    const receipt = await kernelNat.fault(site, { do: 'fault', fault, site: name, what });
    const kind = `nat ${what.event.kind}`;
    const cause = what.event.kind;
    if (cause !== 'flap' && receipt.effects > 0)
      stamper.say(who, { type: 'nat.dropped', mappings: receipt.effects, cause });
    stamper.say(who, { type: 'fault.receipt', fault, kind, site: name, ...receipt });
    stamper.say(who, { type: 'fault.ended', fault, kind, site: name });
  }

  #tell(who: string, command: ActorCommand): void {
    this.#hosts.tell(who, { do: 'tell', who, command });
  }

  /** The server is killed without a word and started again on the same port. */
  async #outage(
    fault: number,
    site: string,
    { server, millis }: Extract<FaultOrder['what'], { kind: 'outage' }>,
  ): Promise<void> {
    const { stamper } = this.#hosts;
    const fate = this.#fates.get(server);
    if (fate === undefined) throw new Error(`fault ${fault}: no server is called ${server}`);
    fate.away = true;
    fate.outages++;
    try {
      this.#hosts.tell(server, { do: 'stop', who: server, how: 'kill' });
      await this.#hosts.sleep(millis);
      const port = await this.#back(server);
      const kind = 'outage';
      const text = `${server} killed, listening again on port ${port}`;
      stamper.say('runner', { type: 'fault.receipt', fault, kind, site, effects: 2, text });
      stamper.say('runner', { type: 'fault.ended', fault, kind, site });
    } finally {
      fate.away = false;
    }
  }

  /** A server that cannot have its port back at once has crashed, for all to see, and is tried again for a while. */
  async #back(server: Ref): Promise<number> {
    const until = performance.now() + READY_MILLIS;
    for (;;) {
      try {
        return await startServer(this.#hosts, server);
      } catch (error) {
        if (!(error instanceof LabError) || performance.now() > until) throw error;
        await this.#hosts.sleep(RESTART_MILLIS);
      }
    }
  }
}
