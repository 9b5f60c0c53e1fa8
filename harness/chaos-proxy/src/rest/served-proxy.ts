import { addressText, parseAddress } from '../address.ts';
import { ChaosError } from '../chaos-error.ts';
import { nearest } from '../faults/check.ts';
import type { Address } from '../machine.ts';
import type { Traffic } from '../node.ts';
import { type ChaosProxy, createChaosProxy } from '../proxy.ts';
import type { ReceiptReport } from '../receipt.ts';
import { seedText } from '../seed.ts';
import { API_ERRORS, didYouMean } from './api-error.ts';
import type { Row } from './json.ts';
import { listenError, resolveListen } from './listen-address.ts';
import { changedToxic, readToxic, type Toxic, toxicJson } from './toxic.ts';

/** What a proxy is made of. */
export type ProxySpec = {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly seed: number;
  readonly toxics: readonly Toxic[];
};

const TOXICS_MAX = 256;

/** An upstream address. @throws ApiError 400 */
export const readUpstream = (text: string): Address => {
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error;
    throw API_ERRORS.badBody(`upstream: expected ${error.expected}, got ${error.got}`, error.hint);
  }
};

/** One proxy of the server: a ChaosProxy with a name, its addresses as they were written, and its toxics. */
export class ServedProxy {
  readonly name: string;
  readonly #proxy: ChaosProxy;
  readonly #toxics = new Map<string, Toxic>();
  #listen: string;
  #upstream: string;
  #enabled = false;

  private constructor(spec: ProxySpec, proxy: ChaosProxy) {
    this.name = spec.name;
    this.#listen = spec.listen;
    this.#upstream = spec.upstream;
    this.#proxy = proxy;
  }

  /** With its toxics before it listens, so that no connection escapes them. @throws ApiError */
  static async start(spec: ProxySpec): Promise<ServedProxy> {
    const { seed, enabled } = spec;
    const upstream = readUpstream(spec.upstream);
    const proxy = await createChaosProxy({ upstream, seed, disabled: true });
    const served = new ServedProxy(spec, proxy);
    for (const toxic of spec.toxics) served.#add(toxic);
    if (enabled) await served.enable();
    return served;
  }

  get enabled(): boolean {
    return this.#enabled;
  }
  get listen(): string {
    return this.#listen;
  }
  get upstream(): string {
    return this.#upstream;
  }
  get traffic(): Traffic {
    return this.#proxy.traffic();
  }

  /** Of the toxics that are there. */
  get effects(): readonly { readonly name: string; readonly effects: number }[] {
    const receipts = this.#proxy.receipts().filter(({ id }) => this.#toxics.has(id));
    return receipts.map(({ id, effects }) => ({ name: id, effects }));
  }

  /** In Toxiproxy's order: those of the upstream stream first. */
  get toxics(): readonly Toxic[] {
    const all = [...this.#toxics.values()];
    return (['up', 'down'] as const).flatMap((way) => all.filter((toxic) => toxic.way === way));
  }

  toJSON(): Row {
    const { name, listen, upstream, enabled } = this;
    const seed = seedText(this.#proxy.seed);
    return { name, listen, upstream, enabled, seed, toxics: this.toxics.map(toxicJson) };
  }

  /** Is what is asked for something else than what is there? @throws ApiError 500 */
  async differs(listen: string, upstream: string): Promise<boolean> {
    if (upstream !== this.#upstream) return true;
    return listen !== this.#listen && addressText(await resolveListen(listen, '')) !== this.#listen;
  }

  /** @throws ApiError 500 */
  async enable(): Promise<void> {
    if (this.#enabled) return;
    const where = await resolveListen(this.#listen);
    try {
      await this.#proxy.enable(where);
    } catch (error) {
      if (error instanceof ChaosError) throw listenError(where, error.got);
      throw error;
    }
    this.#enabled = true;
    this.#listen = addressText({ host: where.host, port: this.#proxy.port });
  }

  async disable(): Promise<void> {
    if (!this.#enabled) return;
    this.#enabled = false;
    await this.#proxy.disable();
  }

  /** Other addresses drop every connection. @throws ApiError */
  async update(listen: string, upstream: string, enabled: boolean): Promise<void> {
    const target = readUpstream(upstream);
    if (await this.differs(listen, upstream)) {
      await this.disable();
      this.#listen = listen;
      this.#upstream = upstream;
      this.#proxy.redirect(target);
    }
    if (enabled) await this.enable();
    else await this.disable();
  }

  /** @throws ApiError 404 */
  toxic(name: string): Toxic {
    const toxic = this.#toxics.get(name);
    if (toxic !== undefined) return toxic;
    const names = [...this.#toxics.keys()];
    throw API_ERRORS.toxicNotFound(didYouMean(names.length === 0 ? undefined : nearest(name, names)));
  }

  /** @throws ApiError 400, 409 */
  addToxic(json: unknown): Toxic {
    const toxic = readToxic(json);
    this.#add(toxic);
    return toxic;
  }

  /** @throws ApiError 400, 404 */
  changeToxic(name: string, json: unknown): Toxic {
    const toxic = changedToxic(this.toxic(name), json);
    this.#proxy.change(name, toxic.fault);
    this.#toxics.set(name, toxic);
    return toxic;
  }

  /** @throws ApiError 404 */
  removeToxic(name: string): void {
    this.toxic(name);
    this.#toxics.delete(name);
    this.#proxy.remove(name, { flush: true });
  }

  clearToxics(): void {
    for (const name of [...this.#toxics.keys()]) this.removeToxic(name);
  }

  /** What every toxic did, removed ones included; `active` tells which are still there. */
  receipts(): Row {
    const row = ({ id, effects, text, numbers }: ReceiptReport): Row => {
      const type = this.#toxics.get(id)?.type.type;
      return {
        name: id,
        ...(type === undefined ? {} : { type }),
        active: type !== undefined,
        effects,
        text,
        numbers,
      };
    };
    return {
      proxy: this.name,
      seed: seedText(this.#proxy.seed),
      receipts: this.#proxy.receipts().map(row),
    };
  }

  /** As `disable`, for good. */
  async close(): Promise<void> {
    await this.disable();
    await this.#proxy.close();
  }

  #add(toxic: Toxic): void {
    if (this.#toxics.has(toxic.name)) throw API_ERRORS.toxicExists();
    if (this.#toxics.size >= TOXICS_MAX) throw API_ERRORS.tooMany('toxics', TOXICS_MAX);
    this.#proxy.add(toxic.fault, toxic.name);
    this.#toxics.set(toxic.name, toxic);
  }
}
