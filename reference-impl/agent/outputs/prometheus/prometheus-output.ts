import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Batch } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Output } from '../../pipeline/element.ts';
import type { Log } from '../../plugin.ts';
import { LastValues, type LastValuesOptions } from './last-values.ts';

export type PrometheusConfig = LastValuesOptions & { readonly host: string; readonly port: number };

/** Whoever scrapes comes with one connection, perhaps two. */
const CONNECTIONS_MAX = 64;
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The last value of each series at `/metrics`, for Prometheus to come and read. Keeps nothing else: it promises no storage. */
export class PrometheusOutput implements Output {
  readonly name = 'prometheus/out';
  readonly #config: PrometheusConfig;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #values: LastValues;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(config: PrometheusConfig, registry: MetricRegistry, log: Log, clock: Clock) {
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
    this.#values = new LastValues(config, registry, (line) => log.warn(`${this.name}: ${line}`));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Where it listens, once it is open: port 0 takes any. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#config.port;
  }

  async open(): Promise<void> {
    const { host, port } = this.#config;
    try {
      this.#server.listen(port, host);
      await once(this.#server, 'listening');
    } catch (error) {
      throw new AgentError({
        code: 'OUTPUT_ADDRESS',
        where: 'plugins.prometheus',
        expected: 'an address to listen on',
        got: reasonOf(error),
        hint: 'give another host or port',
        cause: error,
      });
    }
    this.#log.info(
      `${this.name}: metrics are at http://${host.includes(':') ? `[${host}]` : host}:${this.port}/metrics`,
    );
  }

  async write({ points }: Batch): Promise<void> {
    this.#values.set(points, this.#clock.now());
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    if (url.split('?')[0] !== '/metrics') response.writeHead(404).end('metrics are at /metrics\n');
    else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(this.#values.text(this.#clock.now()));
  }
}
