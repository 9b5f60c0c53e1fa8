/** The image of all hosts: made once per machine, by whichever way works, and found again by its tag. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { LabError } from '../lab.ts';
import { programFile } from '../program-file.ts';
import { buildRoot } from './closure.ts';

/** Where `node` is in it, whichever way it was made. */
export const NODE_IN_IMAGE = '/usr/local/bin/node';

const CONTEXT = fileURLToPath(new URL('host/', import.meta.url));
/** A registry that says nothing for so long is not there. */
const REGISTRY_MILLIS = 6000;
const BUILD_MILLIS = 300_000;

/** Name and tag: it changes with the recipe and with Node, so that a cached image is never a stale one. */
export const imageTag = (): string => {
  const hash = createHash('sha256').update(`${process.version} ${process.arch}`);
  for (const recipe of [programFile('./closure', import.meta.url), join(CONTEXT, 'Dockerfile')])
    hash.update(readFileSync(recipe));
  return `relaylab-host:${hash.digest('hex').slice(0, 12)}`;
};

const exists = async (docker: Docker, tag: string): Promise<boolean> => {
  try {
    await docker.getImage(tag).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
};

/** Reads the engine's report of a piece of work to its end. @throws Error with what went wrong */
const finished = (
  docker: Docker,
  report: NodeJS.ReadableStream,
  onProgress: () => void = () => undefined,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const heard = (line: { readonly error?: string }): void => {
      // the engine has answered 200 long before it fails
      if (line.error === undefined) onProgress();
      else reject(new Error(line.error));
    };
    docker.modem.followProgress(report, (error) => (error === null ? resolve() : reject(error)), heard);
  });

/** Pulls the base image. Gives up on a registry that is silent for `REGISTRY_MILLIS`, or stalls for five times that. */
const pull = async (docker: Docker, name: string): Promise<void> => {
  const giveUp = new AbortController();
  let timer = setTimeout(() => giveUp.abort(), REGISTRY_MILLIS);
  try {
    const report = await docker.pull(name, { abortSignal: giveUp.signal });
    await finished(docker, report, () => {
      clearTimeout(timer);
      timer = setTimeout(() => giveUp.abort(), REGISTRY_MILLIS * 5);
    });
    giveUp.signal.throwIfAborted();
  } catch (error) {
    throw giveUp.signal.aborted ? new Error('the registry does not answer') : error;
  } finally {
    clearTimeout(timer);
  }
};

const fromRegistry = async (docker: Docker, tag: string): Promise<void> => {
  const major = process.versions.node.split('.')[0] as string;
  await pull(docker, `node:${major}-bookworm-slim`);
  // not testcontainers' builder: it would leave the container of a failed step behind
  const options = {
    t: tag,
    buildargs: { NODE: major },
    forcerm: true,
    abortSignal: AbortSignal.timeout(BUILD_MILLIS),
  };
  await finished(docker, await docker.buildImage({ context: CONTEXT, src: ['Dockerfile'] }, options));
};

const fromPackages = async (docker: Docker, tag: string): Promise<void> => {
  if (process.platform !== 'linux') throw new Error(`this machine is no Linux (${process.platform})`);
  const folder = await mkdtemp(join(tmpdir(), 'relaylab-image-'));
  try {
    const root = await buildRoot(folder, process.execPath);
    // two runs that started together: the other one was first
    if (await exists(docker, tag)) return;
    const tar = spawn('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', '-c', '.'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(tar, 'close');
    const [repo, version] = tag.split(':') as [string, string];
    const answer = await docker.importImage(tar.stdout, { repo, tag: version });
    await finished(docker, answer);
    const [code] = await ended;
    if (code !== 0) throw new Error(`tar ended with ${code}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const lastLine = (error: unknown): string => {
  const { message, stderr } = error as { message: string; stderr?: string };
  return (stderr?.trim() || message).trim().split('\n').at(-1) as string;
};

/**
 * Makes sure the image is there and says its tag. Tries the Dockerfile with a registry's base image, then Debian's packages.
 * @throws LabError with what stopped each way
 */
export const ensureImage = async (docker: Docker, progress: (text: string) => void): Promise<string> => {
  const tag = imageTag();
  if (await exists(docker, tag)) return tag;
  const ways = [
    { name: 'from a registry', make: fromRegistry },
    { name: "from Debian's packages", make: fromPackages },
  ];
  const failed: string[] = [];
  for (const way of ways) {
    progress(`building the image of the lab's hosts ${way.name} (once)`);
    try {
      await way.make(docker, tag);
      if (await exists(docker, tag)) return tag;
      failed.push(`${way.name}: it ended without an image`);
    } catch (error) {
      failed.push(`${way.name}: ${lastLine(error)}`);
    }
  }
  throw new LabError(
    `no image for the lab's hosts (${failed.join('; ')})`,
    'give the engine a registry, or run on Debian with apt; or use --lab local',
  );
};
