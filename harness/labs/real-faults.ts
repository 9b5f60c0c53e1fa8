/** The faults of a timeline on real hosts, and a relay that is started again when it ended by itself. */
import type { ActorCommand } from '../agents/actor-spec.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { startRelay } from './bring-up.ts';
import { type Hosts, READY_MILLIS } from './hosts.ts';
import { LabError } from './lab.ts';
import type { FaultOrder } from './topology.ts';

/** A relay that crashes is started again after this long, and no more often than this. */
const RESTART_MILLIS = 500;
const CRASHES_MAX = 20;

export class RealFaults {
  readonly #hosts: Hosts;
  #crashes = 0;
  #outages = 0;
  /** An outage is under way: it is what brings the relay back. */
  #away = false;

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  /** A relay that ended by itself has failed its clause; it is started again, so that the rest can still be judged. */
  heard(event: TraceEvent): void {
    if (event.type !== 'host.crashed' || event.who !== 'relay') return;
    if (this.#away || this.#crashes++ >= CRASHES_MAX) return;
    const outages = this.#outages;
    const again = async (): Promise<void> => {
      await this.#hosts.sleep(RESTART_MILLIS);
      if (outages === this.#outages) await startRelay(this.#hosts);
    };
    // If it crashes again, that is heard again; and after the run nobody wants it back.
    again().catch(() => {});
  }

  /** Performs one fault of the timeline; its receipt follows in the trace. A lab that cannot is broken. */
  perform(order: FaultOrder): void {
    this.#fault(order).catch((error: unknown) => this.#hosts.fail(error));
  }

  async #fault({ fault, site: name, what }: FaultOrder): Promise<void> {
    if (what.kind === 'outage') return this.#outage(fault, what.millis);
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

  /** The relay is killed without a word and started again on the same port. */
  async #outage(fault: number, millis: number): Promise<void> {
    const { stamper } = this.#hosts;
    this.#away = true;
    this.#outages++;
    try {
      this.#hosts.tell('relay', { do: 'stop', who: 'relay', how: 'kill' });
      await this.#hosts.sleep(millis);
      const port = await this.#back();
      const kind = 'outage';
      const text = `relay killed, listening again on port ${port}`;
      stamper.say('runner', { type: 'fault.receipt', fault, kind, site: '', effects: 2, text });
      stamper.say('runner', { type: 'fault.ended', fault, kind, site: '' });
    } finally {
      this.#away = false;
    }
  }

  /** A relay that cannot have its port back at once has crashed, for all to see, and is tried again for a while. */
  async #back(): Promise<number> {
    const until = performance.now() + READY_MILLIS;
    for (;;) {
      try {
        return await startRelay(this.#hosts);
      } catch (error) {
        if (!(error instanceof LabError) || performance.now() > until) throw error;
        await this.#hosts.sleep(RESTART_MILLIS);
      }
    }
  }
}
