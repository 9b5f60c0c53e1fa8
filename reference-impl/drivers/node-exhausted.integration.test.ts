import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { dial, type Peer, within } from './node-script.ts';

const DESCRIPTORS = 48;

t.test(
  'without descriptors callers and dials fail, and the listener outlives it',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const program = fileURLToPath(new URL('./node-few-descriptors.ts', import.meta.url));
    const shell = `ulimit -n ${DESCRIPTORS}; exec "$0" "$1"`;
    const child = spawn('/bin/sh', ['-c', shell, process.execPath, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const lines: string[] = [];
    let more = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      more.resolve();
      more = Promise.withResolvers();
    });
    const says = async (words: RegExp): Promise<string> => {
      const read = async () => {
        for (;;) {
          const line = lines.find((text) => words.test(text));
          if (line !== undefined) return line;
          await more.promise;
        }
      };
      return within(`${words} in: ${lines.join(' | ')}`, read());
    };
    const port = Number((await says(/listening/)).split(' ')[1]);

    const served: Peer[] = [];
    for (let turned = 0; turned < 3; ) {
      t.ok(served.length < DESCRIPTORS, `${served.length} served`);
      const peer = await dial(port);
      peer.socket.write('x');
      const answer = peer.gets(1).then(
        () => 'served',
        () => 'gone',
      );
      const outcome = await within('an answer', Promise.race([answer, peer.ended]));
      if (outcome === 'served') served.push(peer);
      else turned++;
      if (outcome !== 'served') peer.socket.destroy();
    }
    t.ok(served.length > 5, `${served.length} callers were served until none was left`);

    const [first, second, ...rest] = served as [Peer, Peer, ...Peer[]];
    first.socket.write('d');
    await says(/closed exhausted/);
    t.pass('a dial says exhausted');
    second.socket.write('y');
    await second.gets(2);
    t.pass('those that are served stay served');

    for (const peer of rest) {
      peer.socket.end();
      await within('a close', peer.closed);
    }
    const again = await dial(port);
    again.socket.write('again');
    await again.gets(5);
    t.equal(again.text, 'again', 'descriptors came back and so did the listener');
    for (const { socket } of [first, second, again]) socket.destroy();
    t.equal(child.exitCode, null, 'the process lives');
  },
);
