/** Containers as targets, with an image that this machine has already (the Docker lab's own hosts run in it). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { imageServer } from './image-server.ts';
import { type RunningServer, TargetError } from './target.ts';
import { image, nothingLeft, skip } from './testing/containers.ts';

const GREETS = `require("net").createServer((s)=>s.on("error",()=>{}).end("hello")).listen(+process.argv.at(-1),"0.0.0.0")`;
const ENDS = `console.log("cannot read /etc/my-relay.conf");process.exit(9)`;
const words = (text: string): string => `${image} node -e '${text}' {port}`;

const greeting = async ({ address }: RunningServer): Promise<string> => {
  const socket = connect(address);
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(socket, 'close');
  return said;
};

t.setTimeout(120_000);
t.test('a container is started, reached, looked into, ended and started again', { skip }, async (t) => {
  const target = imageServer(words(GREETS));
  t.equal(target.restartable, true);
  for (let life = 0; life < 2; life++) {
    const server = await target.start();
    t.equal(await greeting(server), 'hello');
    t.equal(await server.alive(), true);
    t.ok(((await server.holdings())?.fds ?? 0) > 0, 'its descriptors are read from outside');
    await server.signal('SIGKILL');
    while (server.died === undefined) await delay(20);
    t.match(server.died, /exit code 137/);
    t.equal(await server.alive(), false);
    await server.stop();
  }
  nothingLeft(t, 'server');
});

for (const [what, text, says] of [
  [
    'ends at once',
    words(ENDS),
    /is not ready: the container ended with exit code 9[\s\S]*It said: cannot read/,
  ],
  ['exposes no port and is told none', image, /exposes no port: say on which it must listen, --image/],
  ['cannot run the command', `${image} not-there {port}`, /does not start: [\s\S]*not-there/],
] as const)
  t.test(`a container that ${what} is explained`, { skip }, async (t) => {
    await t.rejects(imageServer(text).start(), says);
    await t.rejects(imageServer(text).start(), TargetError);
    nothingLeft(t, 'server');
  });
