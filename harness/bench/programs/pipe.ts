/** The least a TCP proxy in Node can be: `pipe PORT UPSTREAM`. A contender of the bench, and no more than that. */
import { connect, createServer } from 'node:net';

const [port, upstream] = process.argv.slice(2).map(Number) as [number, number];
createServer({ noDelay: true, allowHalfOpen: true }, (user) => {
  const service = connect({ host: '127.0.0.1', port: upstream, noDelay: true, allowHalfOpen: true });
  user.on('error', () => service.destroy()).pipe(service);
  service.on('error', () => user.destroy()).pipe(user);
}).listen({ port, host: '127.0.0.1', backlog: 4096 });
