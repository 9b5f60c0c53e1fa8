import { addressText, parseAddress } from '../src/address.ts';
import { ProxyStore } from '../src/rest/proxy-store.ts';
import { ApiServer } from '../src/rest/server.ts';
import { type End, Service, within } from './tcp-pair.ts';

/** An answer of the API; `json` undefined: the body is none. */
export type Answer = {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly json: any;
  readonly headers: Headers;
};

/** The API on a free port, asked by plain HTTP. */
export class ServedApi {
  readonly server: ApiServer;
  readonly store: ProxyStore;
  readonly url: string;

  private constructor(server: ApiServer, store: ProxyStore) {
    this.server = server;
    this.store = store;
    this.url = `http://127.0.0.1:${server.port}`;
  }

  static async start(seed = 7): Promise<ServedApi> {
    const store = new ProxyStore(seed);
    const server = await ApiServer.start({ listen: parseAddress('127.0.0.1:0'), store, version: '0.0.0' });
    return new ServedApi(server, store);
  }

  /** @param body a value to send as JSON, or text to send as it is */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const answer = await fetch(`${this.url}${path}`, { method, headers, ...sent });
    const text = await answer.text();
    return { status: answer.status, text, json: parsed(text), headers: answer.headers };
  }

  /** A proxy in front of a service that the test plays. */
  async link(toxics: readonly unknown[] = [], name = 'link'): Promise<ServedLink> {
    const service = await Service.start();
    const upstream = addressText({ host: '127.0.0.1', port: service.port });
    const { json } = await this.ask('POST', '/proxies', { name, listen: '127.0.0.1:0', upstream, toxics });
    return new ServedLink(name, parseAddress(json.listen).port, service);
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

/** One proxy and the service behind it. */
export class ServedLink {
  readonly name: string;
  readonly port: number;
  readonly service: Service;
  constructor(name: string, port: number, service: Service) {
    this.name = name;
    this.port = port;
    this.service = service;
  }

  /** Both ends of a new connection through the proxy. */
  pair(): Promise<{ readonly user: End; readonly service: End }> {
    return within(this.service.pair(this.port), 'connection through the proxy');
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
const parsed = (text: string): any => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
