import { EventEmitter } from 'node:events';
import { addressText, parseAddress } from './address.ts';
import { ChaosError } from './chaos-error.ts';
import { checkFault, parseFault } from './faults/check.ts';
import type { Fault } from './faults/registry.ts';
import { type LinkCommand, LinkMachine, type LinkReport } from './link.ts';
import type { Address } from './machine.ts';
import { NodeLink } from './node.ts';
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
};

/** One running proxy. */
export interface ChaosProxy {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  /** Puts a fault on the link, living connections included. @returns its id @throws ChaosError */
  add(fault: FaultSpec, id?: string): string;
  /** Takes a fault off. @returns what it did @throws ChaosError FAULT_ID_UNKNOWN */
  remove(id: string): ReceiptReport;
  clear(): void;
  down(): void;
  up(): void;
  /** Where new connections are dialled to. */
  redirect(upstream: string | Address): void;
  /** What every fault did so far, removed ones included. */
  receipts(): readonly ReceiptReport[];
  on(event: 'effect', listener: (effect: EffectReport) => void): void;
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
  /** The link listens, or it cannot. */
  readonly ready = new Promise<LinkReport>((resolve) => {
    this.#settle = resolve;
  });

  take(report: LinkReport): void {
    if (report.type === 'link.ready' || report.type === 'link.failed') this.#settle(report);
    else if (report.type === 'link.receipt') this.receipts.push(report);
    // The listener's code must not run while outputs are being performed: it may call back.
    else if (report.type === 'link.effect') queueMicrotask(() => this.emitter.emit('effect', report));
  }
}

class RunningProxy implements ChaosProxy {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly #link: NodeLink;
  readonly #reports: Reports;
  readonly #used: Set<string>;

  constructor(listen: Address, seed: number, link: NodeLink, reports: Reports) {
    this.host = listen.host;
    this.port = listen.port;
    this.seed = seed;
    this.#link = link;
    this.#reports = reports;
    this.#used = new Set(this.receipts().map(({ id }) => id));
  }

  add(spec: FaultSpec, wanted?: string): string {
    const fault = faultOf(spec);
    let id = wanted ?? fault.kind;
    for (let nth = 2; wanted === undefined && this.#used.has(id); nth++) id = `${fault.kind}-${nth}`;
    this.#ask({ do: 'add', id, fault });
    this.#used.add(id);
    return id;
  }
  remove(id: string): ReceiptReport {
    return this.#ask({ do: 'remove', id })[0] as ReceiptReport;
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
        listen,
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
  const outcome = await reports.ready;
  if (outcome.type === 'link.ready')
    return new RunningProxy({ host: listen.host, port: outcome.port }, seed, link, reports);
  throw new ChaosError('LISTEN_FAILED', {
    expected: `${addressText(listen)} to be free`,
    got: outcome.type === 'link.failed' ? outcome.why : outcome.type,
    hint: 'port 0 takes any free port',
  });
};
