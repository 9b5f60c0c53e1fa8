// The image's making against an engine that is played: what it is asked, and what becomes of its answers.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import t, { type Test } from 'tap';
import { LabError } from '../lab.ts';
import { ensureImage, imageTag } from './image.ts';

const folder = mkdtempSync(join(tmpdir(), 'relaylab-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
// no packages to be had either: what is tested is the registry's side
const path = process.env.PATH;
process.env.PATH = '/nonexistent';
t.teardown(() => {
  process.env.PATH = path;
});

type Play = Readonly<Record<'pull' | 'build', (answer: ServerResponse) => void>>;
let engines = 0;

/** An engine that has the image once a build has ended well. */
const playEngine = async (t: Pick<Test, 'teardown'>, play: Play) => {
  const asked: string[] = [];
  let has = false;
  const server = createServer((request, answer) => {
    const url = new URL(request.url ?? '', 'http://engine');
    request.resume();
    if (url.pathname.endsWith('/json')) answer.writeHead(has ? 200 : 404).end('{}');
    else if (url.pathname.startsWith('/images/create')) {
      asked.push(`pull ${url.searchParams.get('fromImage')}:${url.searchParams.get('tag')}`);
      play.pull(answer);
    } else if (url.pathname.startsWith('/build')) {
      asked.push(`build ${[...url.searchParams.keys()].sort()} ${url.searchParams.get('buildargs')}`);
      request.on('end', () => {
        play.build(answer);
        has = true;
      });
    }
  });
  const socketPath = join(folder, `${++engines}.sock`);
  await once(server.listen(socketPath), 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { docker: new Docker({ socketPath }), asked };
};
const says =
  (...lines: readonly object[]) =>
  (answer: ServerResponse): void => {
    answer.writeHead(200).end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };

t.test('with a registry the Dockerfile is built on its Node', async (t) => {
  const { docker, asked } = await playEngine(t, {
    pull: says({ status: 'Pulling' }),
    build: says({ stream: 'Step 1' }),
  });
  const said: string[] = [];
  t.equal(await ensureImage(docker, (text) => said.push(text)), imageTag());
  t.same(asked, ['pull node:26-bookworm-slim', 'build buildargs,forcerm,t {"NODE":"26"}']);
  t.same(said, ["building the image of the lab's hosts from a registry (once)"]);
  t.equal(await ensureImage(docker, (text) => said.push(text)), imageTag());
  t.equal(said.length, 1, 'an image that is there is not built again');
});

t.test('each way that fails is named with its reason', async (t) => {
  for (const [play, reason] of [
    [
      { pull: says({ status: 'Pulling' }, { error: 'manifest unknown' }), build: says() },
      /from a registry: manifest unknown/,
    ],
    [{ pull: says(), build: says({ stream: 'RUN' }, { error: 'code 100' }) }, /from a registry: code 100/],
    [
      { pull: (answer) => answer.writeHead(500).end('{"message":"no such host"}'), build: says() },
      /no such host/,
    ],
  ] as readonly (readonly [Play, RegExp])[]) {
    const { docker } = await playEngine(t, play);
    const failure = await ensureImage(docker, () => undefined).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.type(failure, LabError);
    t.match((failure as Error).message, reason);
    t.match((failure as Error).message, /from Debian's packages: .*apt-cache/);
  }
});
