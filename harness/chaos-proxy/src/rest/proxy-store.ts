import { nearest } from '../faults/check.ts';
import { keyedStream } from '../keyed-random.ts';
import { parseSeed } from '../seed.ts';
import { API_ERRORS, ApiError, didYouMean } from './api-error.ts';
import { asRow, member, memberOf, type Row } from './json.ts';
import { type ProxySpec, readUpstream, ServedProxy } from './served-proxy.ts';
import { readToxic } from './toxic.ts';

const PROXIES_MAX = 1024;
const NAME_CHARS_MAX = 256;

/** Proxies, as far as a list of them could be set up. */
export type Populated = { readonly proxies: readonly ServedProxy[]; readonly error: ApiError | undefined };

/** The proxies of a server. Changes are made one after another, in the order in which they were asked for. */
export class ProxyStore {
  readonly #proxies = new Map<string, ServedProxy>();
  readonly #seed: number;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param seed 32 bits: seeds of proxies follow from it and their names */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** In the order of their names. */
  get proxies(): readonly ServedProxy[] {
    return [...this.#proxies.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ApiError 404 */
  get(name: string): ServedProxy {
    const proxy = this.#proxies.get(name);
    if (proxy !== undefined) return proxy;
    const names = [...this.#proxies.keys()];
    throw API_ERRORS.proxyNotFound(didYouMean(names.length === 0 ? undefined : nearest(name, names)));
  }

  /** @throws ApiError 400, 409, 500 */
  create(json: unknown): Promise<ServedProxy> {
    return this.#inTurn(async () => {
      const spec = this.#read(json, '');
      if (this.#proxies.has(spec.name)) throw API_ERRORS.proxyExists();
      return this.#put(spec);
    });
  }

  /**
   * A list of proxies: those that are there with the same addresses stay as they are, the others come in their place.
   * Nothing is touched if the list cannot be read. @throws ApiError 400
   */
  populate(json: unknown): Promise<Populated> {
    return this.#inTurn(async () => {
      if (!Array.isArray(json)) throw API_ERRORS.badBody('expected a list of proxies');
      const specs = json.map((entry, i) => this.#read(entry, ` at proxy ${i + 1}`));
      const proxies: ServedProxy[] = [];
      try {
        for (const spec of specs) proxies.push(await this.#replace(spec));
      } catch (error) {
        if (error instanceof ApiError) return { proxies, error };
        throw error;
      }
      return { proxies, error: undefined };
    });
  }

  /** @throws ApiError 400, 404, 500 */
  update(name: string, json: unknown): Promise<ServedProxy> {
    return this.#inTurn(async () => {
      const proxy = this.get(name);
      const row = asRow(json, 'a proxy');
      const listen = memberOf(row, 'listen', 'string') ?? proxy.listen;
      const upstream = memberOf(row, 'upstream', 'string') ?? proxy.upstream;
      await proxy.update(listen, upstream, memberOf(row, 'enabled', 'boolean') ?? proxy.enabled);
      return proxy;
    });
  }

  /** @throws ApiError 404 */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const proxy = this.get(name);
      this.#proxies.delete(name);
      await proxy.close();
    });
  }

  /** Enables every proxy and takes all toxics off. @throws ApiError 500 */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      for (const proxy of this.proxies) {
        await proxy.enable();
        proxy.clearToxics();
      }
    });
  }

  /** Changes the toxics of a proxy. @throws what `change` throws, ApiError 404 */
  toxics<T>(name: string, change: (proxy: ServedProxy) => T): Promise<T> {
    return this.#inTurn(async () => change(this.get(name)));
  }

  /** What `populate` and `--config` take to set all this up again. */
  dump(): readonly Row[] {
    return this.proxies.map((proxy) => proxy.toJSON());
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await Promise.all(this.proxies.map((proxy) => proxy.close()));
      this.#proxies.clear();
    });
  }

  #read(json: unknown, where: string): ProxySpec {
    const row = asRow(json, `a proxy${where}`);
    const text = (name: string): string => memberOf(row, name, 'string') ?? '';
    const [name, upstream, seed] = [text('name'), text('upstream'), text('seed')];
    for (const [field, value] of Object.entries({ name, upstream }))
      if (value === '') throw API_ERRORS.missingField(`${field}${where}`);
    if (name.length > NAME_CHARS_MAX || name.includes('/'))
      throw API_ERRORS.badBody(`name${where}: expected at most ${NAME_CHARS_MAX} characters and no slash`);
    readUpstream(upstream);
    const toxics = member(row, 'toxics') ?? [];
    if (!Array.isArray(toxics)) throw API_ERRORS.badBody(`toxics${where}: expected a list`);
    return {
      name,
      upstream,
      listen: text('listen'),
      enabled: memberOf(row, 'enabled', 'boolean') ?? true,
      seed: seed === '' ? this.#seedOf(name) : readSeed(seed),
      toxics: toxics.map(readToxic),
    };
  }

  #seedOf(name: string): number {
    return keyedStream(this.#seed, name).below(2 ** 32, 0);
  }

  async #replace(spec: ProxySpec): Promise<ServedProxy> {
    const there = this.#proxies.get(spec.name);
    if (there !== undefined) {
      if (!(await there.differs(spec.listen, spec.upstream))) return there;
      await there.disable();
    }
    const proxy = await this.#put(spec);
    await there?.close();
    return proxy;
  }

  async #put(spec: ProxySpec): Promise<ServedProxy> {
    if (this.#proxies.size >= PROXIES_MAX && !this.#proxies.has(spec.name))
      throw API_ERRORS.tooMany('proxies', PROXIES_MAX);
    const proxy = await ServedProxy.start(spec);
    this.#proxies.set(spec.name, proxy);
    return proxy;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {});
    return done;
  }
}

const readSeed = (text: string): number => {
  try {
    return parseSeed(text);
  } catch {
    throw API_ERRORS.badBody(`seed: expected 1 to 8 hexadecimal digits, got '${text}'`);
  }
};
