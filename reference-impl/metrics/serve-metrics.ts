import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { Address } from '../machine/machine.ts';

/** Serves `/metrics` in Prometheus' text form. Rejects when the address cannot be had. */
export const serveMetrics = async (registry: Registry, at: Address): Promise<Server> => {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n');
      return;
    }
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  });
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.once('error', reject);
  server.listen(at.port, at.host, () => {
    server.unref();
    resolve(server);
  });
  return promise;
};
