/**
 * A target that is an image: a container for each start, published on loopback. Its words may hold `{port}`; without, the image
 * must expose just one port. On Linux it is dialled at its own address, so that ports it opens later can be reached as well.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../agents/free-port.ts';
import { takesConnections } from './address-server.ts';
import { docker, LABEL, needsEngine, whyNot } from './docker-command.ts';
import { holdingsOf, wordsOf } from './exec-server.ts';
import { type RunningServer, type ServerTarget, TargetError } from './target.ts';

const READY_MILLIS = 30_000;
const LOOK_MILLIS = 50;
const LISTEN = '0A';
const asked = async (what: string, ...args: readonly string[]): Promise<string> => {
  try {
    return await docker(...args);
  } catch (error) {
    throw new TargetError(`${what}: ${whyNot(error)}`);
  }
};

/** The port inside. @throws TargetError for an image that does not say */
const exposedPort = async (image: string): Promise<number> => {
  const told = await asked(
    `${image} cannot be read`,
    'image',
    'inspect',
    '-f',
    '{{json .Config.ExposedPorts}}',
    image,
  );
  const ports = Object.keys((JSON.parse(told) as Record<string, unknown> | null) ?? {}).filter((name) =>
    name.endsWith('/tcp'),
  );
  if (ports.length !== 1)
    throw new TargetError(
      `${image} exposes ${ports.length === 0 ? 'no port' : ports.join(', ')}: say on which it must listen, --image '${image} my-program {port}'.`,
    );
  return Number.parseInt(ports[0] as string, 10);
};

/** Whether somebody listens there inside the container, read from outside: a connection as probe would already be a test. */
const listensIn = async (pid: number, port: number): Promise<boolean | undefined> => {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  if (tables.every((text) => text === '')) return undefined;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return tables
    .join('\n')
    .split('\n')
    .some((row) => {
      const [, local = '', , state] = row.trim().split(/\s+/);
      return local.endsWith(wanted) && state === LISTEN;
    });
};

const started = async (text: string): Promise<RunningServer> => {
  const [image = '', ...words] = wordsOf(text);
  await needsEngine();
  const port = await freePort('127.0.0.1');
  const given = words.some((word) => word.includes('{port}'));
  const inner = given ? port : await exposedPort(image);
  const argv = words.map((word) => word.replaceAll('{port}', String(inner)));
  const publish = `127.0.0.1:${port}:${inner}`;
  const id = await asked(
    `${text} cannot be made a container`,
    ...['create', '--label', `${LABEL}=server`, '-p', publish, image, ...argv],
  );
  await asked(`${text} does not start`, 'start', id).catch(async (error) => {
    await docker('rm', '-f', id).catch(() => '');
    throw error;
  });
  let died: string | undefined;
  const lastWords = async (): Promise<string> => docker('logs', '--tail', '20', id).catch(() => '');
  const waiting = spawn('docker', ['wait', id], { stdio: ['ignore', 'pipe', 'ignore'] });
  waiting.stdout.once('data', (code: Buffer) => {
    died = `the container ended with exit code ${String(code).trim()}`;
  });
  let logs = '';
  const stop = async (): Promise<void> => {
    logs = await lastWords();
    await docker('rm', '-f', id).catch(() => '');
    waiting.kill('SIGKILL');
  };
  const [pid = '0', ip = ''] = (
    await docker(
      'inspect',
      '-f',
      '{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}',
      id,
    )
  ).split(' ');
  const address =
    process.platform === 'linux' && ip !== '' ? { host: ip, port: inner } : { host: '127.0.0.1', port };
  const listens = async (): Promise<boolean> =>
    (await listensIn(Number(pid), inner)) ?? (await takesConnections(address)) === undefined;
  const began = performance.now();
  while (died === undefined && !(await listens()) && performance.now() - began < READY_MILLIS)
    await delay(LOOK_MILLIS);
  if (died !== undefined || !(await listens())) {
    await stop();
    throw new TargetError(
      `${text} is not ready: ${died ?? `nobody listens on port ${inner} of the container after ${READY_MILLIS / 1_000} s`}.\nIt must listen on all addresses of the container.\nIt said: ${logs || 'nothing'}`,
    );
  }
  return {
    address,
    get died() {
      return died;
    },
    alive: async () => died === undefined && (await listens()),
    output: () => logs,
    holdings: () => holdingsOf(Number(pid)),
    outputFile: undefined,
    files: new Set(),
    signal: async (signal) => void (await docker('kill', '-s', signal, id).catch(() => '')),
    stop,
  };
};

/** @param text image, then the words of its command: `my-relay:1 serve {port}` */
export const imageServer = (text: string): ServerTarget => ({
  text: `image ${text}`,
  restartable: true,
  start: () => started(text),
});
