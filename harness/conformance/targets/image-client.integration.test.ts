/** Containers as targets that dial, with an image that this machine has already (the Docker lab's own hosts run in it). */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { refuseMissing, startClient } from './client-target.ts';
import { TargetError } from './target.ts';
import { image, nothingLeft, skip } from './testing/containers.ts';

/** Dials the port that its environment names, writes what it read from the file in its words, and answers SIGTERM. */
const DIALS = `const fs=require("fs");const s=require("net").connect(+process.env.RELAYLAB_PORT,"127.0.0.1");s.write(fs.readFileSync(process.argv.at(-1)));process.on("SIGTERM",()=>{fs.writeFileSync(process.argv.at(-1),"stopped");console.log("bye");process.exit(7)})`;

t.setTimeout(120_000);
t.test(
  'a container dials, reads and writes the folder of its case, and ends as it is told',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'relaylab-case-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const config = join(folder, 'config');
    writeFileSync(config, 'hello', { mode: 0o600 });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as { readonly port: number };
    const client = await startClient(
      { image: `${image} node -e '${DIALS}' {config}` },
      { port: String(port), config },
      [folder],
    );
    const [socket] = (await once(server, 'connection')) as [Socket];
    const [said] = (await once(socket, 'data')) as [Buffer];
    t.equal(said.toString(), 'hello', 'the file of its words, the port of its environment');
    t.ok(((await client.holdings())?.fds ?? 0) > 0, 'its descriptors are read from outside');
    client.signal('SIGTERM');
    t.equal(await client.exit(), 7, 'it hears signals, and its exit code comes through');
    t.match(client.output(), /bye/);
    t.equal(readFileSync(config, 'utf8'), 'stopped', 'what it wrote is there');
    await client.end();
    nothingLeft(t, 'client');
  },
);

t.test('one that never ends does not outlive its case', { skip }, async (t) => {
  const client = await startClient({ image: `${image} sleep 1000` }, {}, []);
  await client.end();
  t.equal(client.running, false);
  nothingLeft(t, 'client');
});

t.test('what cannot be started is told before the first case', { skip }, async (t) => {
  await t.rejects(refuseMissing({ image: 'relaylab-no-such-image:1' }), /is not here and cannot be pulled/);
  await t.rejects(refuseMissing({ image: 'relaylab-no-such-image:1' }), TargetError);
  await refuseMissing({ image });
});
