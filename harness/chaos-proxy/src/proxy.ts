import { EventEmitter } from 'node:events';
import { addressText, parseAddress } from './address.ts';
import { ChaosError } from './chaos-error.ts';
import { checkFault, parseFault } from './faults/check.ts';
import type { Fault } from './faults/registry.ts';
import { LinkMachine } from './link.ts';
import type { LinkCommand, LinkReport } from './link-words.ts';
import type { Address } from './machine.ts';
import { NodeLink, type Traffic } from './node.ts';
import type { EffectReport, ReceiptReport } from './receipt.ts';
import { freshSeed } from './seed.ts';

/** A fault as a value or as the command line writes it. */
export type FaultSpec = Fault | string;

export type ChaosProxyOptions = {
  /** `HOST:PORT` or its parts; default: loopback, any free port. */
  readonly listen?: string | Address;
  readonly upstream: string | Address;
  /** Local address to dial the upstream from. */
  readonly from?: Address;
  readonly faults?: readonly FaultSpec[];
  /** 32 bits; default: a fresh one, see `seed`. */
  readonly seed?: number;
  /** When the ends of a silently cut connection are reset; default: never. */
  readonly keepaliveMillis?: number;
  readonly earlyBytesMax?: number;
  /** Faults will not change: connections they cannot touch run at full speed, and add, remove and down throw. */
  readonly static?: boolean;
  /** Does not listen before `enable`. */
  readonly disabled?: boolean;
};

/** One running proxy. */
export interface ChaosProxy {
  readonly host: string;
  /** Before it ever listened: the one asked for. */
  readonly port: number;
  readonly seed: number;
  /** Puts a fault on the link, living connections included. @returns its id @throws ChaosError */
  add(fault: FaultSpec, id?: string): string;
  /**
   * Takes a fault off. `flush`: what it alone still delays leaves at once.
   * @returns what it did @throws ChaosError FAULT_ID_UNKNOWN
   */
  remove(id: string, how?: { readonly flush: boolean }): ReceiptReport;
  /** Another fault in the place of one: same id, order and receipt; flushes. @throws ChaosError FAULT_ID_UNKNOWN */
  change(id: string, fault: FaultSpec): void;
  clear(): void;
  down(): void;
  up(): void;
  /** Where new connections are dialled to. */
  redirect(upstream: string | Address): void;
  /** What every fault did so far, removed ones included. */
  receipts(): readonly ReceiptReport[];
  on(event: 'effect', listener: (effect: EffectReport) => void): void;
  /** Bytes taken and handed on since the start, by direction. */
  traffic(): Traffic;
  /** Stops listening and closes every connection (FIN). Faults, receipts and counts of connections stay. */
  disable(): Promise<void>;
  /** Listens again: where it did, or there. @throws ChaosError LISTEN_FAILED */
  enable(listen?: string | Address): Promise<void>;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

const addressOf = (address: string | Address): Address =>
  typeof address === 'string' ? parseAddress(address) : address;
const faultOf = (fault: FaultSpec): Fault =>
  typeof fault === 'string' ? parseFault(fault) : checkFault(fault);

/** What the link said, kept until somebody asks for it. */
class Reports {
  readonly emitter = new EventEmitter();
  receipts: ReceiptReport[] = [];
  #settle: (report: LinkReport) => void = () => {};

  /** Resolves at the next news about listening: it does, or it cannot. */
  listening(): Promise<LinkReport> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  take(report: LinkReport): void {
    if (report.type === 'link.ready' || report.type === 'link.failed') this.#settle(report);
    else if (report.type === 'link.receipt') this.receipts.push(report);
    // The listener's code must not run while outputs are being performed: it may call back.
    else if (report.type === 'link.effect') queueMicrotask(() => this.emitter.emit('effect', report));
  }
}

class RunningProxy implements ChaosProxy {
  readonly seed: number;
  #listen: Address;
  #listening = false;
  readonly #link: NodeLink;
  readonly #reports: Reports;
  readonly #used: Set<string>;

  constructor(listen: Address, seed: number, link: NodeLink, reports: Reports) {
    this.#listen = listen;
    this.seed = seed;
    this.#link = link;
    this.#reports = reports;
    this.#used = new Set(this.receipts().map(({ id }) => id));
  }

  get host(): string {
    return this.#listen.host;
  }
  get port(): number {
    return this.#listen.port;
  }

  add(spec: FaultSpec, wanted?: string): string {
    const fault = faultOf(spec);
    let id = wanted ?? fault.kind;
    for (let nth = 2; wanted === undefined && this.#used.has(id); nth++) id = `${fault.kind}-${nth}`;
    this.#ask({ do: 'add', id, fault });
    this.#used.add(id);
    return id;
  }
  remove(id: string, { flush } = { flush: false }): ReceiptReport {
    return this.#ask({ do: 'remove', id, flush })[0] as ReceiptReport;
  }
  change(id: string, fault: FaultSpec): void {
    this.#ask({ do: 'change', id, fault: faultOf(fault) });
  }
  clear(): void {
    this.#ask({ do: 'clear' });
  }
  down(): void {
    this.#ask({ do: 'down' });
  }
  up(): void {
    this.#ask({ do: 'up' });
  }
  redirect(upstream: string | Address): void {
    this.#ask({ do: 'upstream', to: addressOf(upstream) });
  }
  receipts(): readonly ReceiptReport[] {
    return this.#ask({ do: 'receipts' });
  }
  on(event: 'effect', listener: (effect: EffectReport) => void): void {
    this.#reports.emitter.on(event, listener);
  }
  traffic(): Traffic {
    return this.#link.traffic;
  }
  async disable(): Promise<void> {
    this.#listening = false;
    await this.#link.halt();
  }
  async enable(listen?: string | Address): Promise<void> {
    if (this.#listening) return;
    const where = listen === undefined ? this.#listen : addressOf(listen);
    const outcome = this.#reports.listening();
    this.#link.listen(where);
    const report = await outcome;
    if (report.type !== 'link.ready')
      throw new ChaosError('LISTEN_FAILED', {
        expected: `${addressText(where)} to be free`,
        got: report.type === 'link.failed' ? report.why : report.type,
        hint: 'port 0 takes any free port',
      });
    this.#listening = true;
    this.#listen = { host: where.host, port: report.port };
  }
  close(): Promise<void> {
    return this.#link.close();
  }

  #ask(command: LinkCommand): readonly ReceiptReport[] {
    this.#reports.receipts = [];
    this.#link.command(command);
    return this.#reports.receipts;
  }
}

/** Starts a proxy. Resolves once it listens. @throws ChaosError LISTEN_FAILED, or what parsing its options throws */
export const createChaosProxy = async (options: ChaosProxyOptions): Promise<ChaosProxy> => {
  const listen = addressOf(options.listen ?? { host: '127.0.0.1', port: 0 });
  const seed = options.seed ?? freshSeed();
  const faults = (options.faults ?? []).map(faultOf);
  const upstream = addressOf(options.upstream);
  const { from, keepaliveMillis, earlyBytesMax } = options;
  const reports = new Reports();
  const link = new NodeLink(
    (name) =>
      new LinkMachine({
        upstream,
        faults,
        seed,
        name,
        static: options.static ?? false,
        ...(from === undefined ? {} : { from }),
        ...(keepaliveMillis === undefined ? {} : { keepaliveMillis }),
        ...(earlyBytesMax === undefined ? {} : { earlyBytesMax }),
      }),
    (report) => reports.take(report),
  );
  link.start();
  const proxy = new RunningProxy(listen, seed, link, reports);
  if (!options.disabled) await proxy.enable();
  return proxy;
};
