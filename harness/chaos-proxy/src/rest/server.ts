import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { addressText } from '../address.ts';
import { ChaosError } from '../chaos-error.ts';
import type { Address } from '../machine.ts';
import { API_ERRORS, ApiError } from './api-error.ts';
import type { ProxyStore } from './proxy-store.ts';
import { errorReply, findRoute, type Reply } from './routes.ts';

/** Largest body of a request. */
export const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_MILLIS = 15_000;
const HTTP_CONNECTIONS_MAX = 256;
/** Whose API it is: clients ask before they use it. */
const API_VERSION = '2.12.0';

export type ApiServerOptions = {
  readonly listen: Address;
  readonly store: ProxyStore;
  /** Of chaos-proxy. */
  readonly version: string;
};

/** Toxiproxy's HTTP API in front of a store of proxies. */
export class ApiServer {
  readonly #server: Server;
  readonly #store: ProxyStore;

  private constructor(server: Server, store: ProxyStore) {
    this.#server = server;
    this.#store = store;
  }

  /** @throws ChaosError LISTEN_FAILED */
  static async start({ listen, store, version }: ApiServerOptions): Promise<ApiServer> {
    // Whoever only wants links, a hundred processes of a lab say, does not wait for Node's HTTP to load.
    const { createServer } = await import('node:http');
    const server = createServer({ requestTimeout: REQUEST_MILLIS }, (request, response) => {
      answer(request, store, `${API_VERSION}+chaos-proxy.${version}`).then(
        (reply) => send(response, reply),
        () => response.destroy(),
      );
    });
    server.maxConnections = HTTP_CONNECTIONS_MAX;
    server.listen(listen.port, listen.host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new ChaosError('LISTEN_FAILED', {
        expected: `${addressText(listen)} to be free`,
        got: (error as NodeJS.ErrnoException).code ?? String(error),
        hint: 'is another one running? --listen 127.0.0.1:0 takes any free port',
      });
    }
    return new ApiServer(server, store);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Stops answering, then closes every proxy. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await this.#store.close();
  }
}

const PLAIN = 'text/plain; charset=utf-8';

const answer = async (request: IncomingMessage, store: ProxyStore, version: string): Promise<Reply> => {
  // A page in a browser could reach a server on loopback; no browser calls itself anything else.
  if (request.headers['user-agent']?.startsWith('Mozilla/'))
    return { status: 403, type: PLAIN, body: 'User agent not allowed\n' };
  try {
    const found = findRoute((request.url ?? '').split('?')[0] ?? '');
    if (found === undefined) return { status: 404, type: PLAIN, body: '404 page not found\n' };
    const handler = found.route.methods[request.method ?? ''];
    if (handler === undefined) return { status: 405 };
    const { proxy, toxic } = found;
    return await handler({ store, proxy, toxic, body: await bodyOf(request), version });
  } catch (error) {
    if (error instanceof ApiError) return errorReply(error);
    const why = error instanceof Error ? error.message : String(error);
    return errorReply(new ApiError(500, why));
  }
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // The rest is read and dropped, so that the client gets to hear the answer.
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    else if (bytes > 16 * BODY_BYTES_MAX) break;
  }
  if (bytes > BODY_BYTES_MAX) throw API_ERRORS.tooLarge(BODY_BYTES_MAX);
  return Buffer.concat(chunks).toString('utf8');
};

const send = (response: ServerResponse, { status, type, body }: Reply): void => {
  response.setHeader('X-Toxiproxy-Request-Id', randomBytes(10).toString('hex'));
  if (type !== undefined) response.setHeader('Content-Type', type);
  response.writeHead(status);
  response.end(body);
};
