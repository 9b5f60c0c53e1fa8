/**
 * An image as a target that dials: a container for each start, in the network of this machine, so that the addresses of a case
 * mean the same inside. It sees the folders of its case where they are, and runs as whoever runs us, so that it can read them.
 * What its words do not take by `{name}` its environment has, as RELAYLAB_NAME.
 */
import { randomUUID } from 'node:crypto';
import type { Holdings } from '../case.ts';
import { Unclear } from '../outcome.ts';
import type { StartedClient } from './client-target.ts';
import { docker, LABEL, needsEngine, whyNot } from './docker-command.ts';
import { ExecClient, filledIn } from './exec-client.ts';
import { holdingsOf, wordsOf } from './exec-server.ts';
import { TargetError } from './target.ts';

/** @throws TargetError without an engine, or without the image where nobody can pull it */
export const imageIsThere = async (text: string): Promise<void> => {
  const [image = ''] = wordsOf(text);
  await needsEngine();
  const local = await docker('image', 'inspect', '-f', '{{.Id}}', image).catch(() => '');
  if (local !== '') return;
  await docker('pull', '-q', image).catch((error) => {
    throw new TargetError(
      `the image ${image} is not here and cannot be pulled: ${whyNot(error)}.\nBuild it first: docker build -t ${image} .`,
    );
  });
};

const environmentOf = (given: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(given).flatMap(([name, value]) => ['-e', `RELAYLAB_${name.toUpperCase()}=${value}`]);

const ownUser = (): readonly string[] => {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return uid === undefined || gid === undefined ? [] : ['--user', `${uid}:${gid}`];
};

class ImageClient implements StartedClient {
  readonly #name: string;
  readonly #run: ExecClient;

  constructor(name: string) {
    this.#name = name;
    this.#run = new ExecClient(['docker', 'start', '--attach', '--interactive', name]);
  }

  get running(): boolean {
    return this.#run.running;
  }

  output(): string {
    return this.#run.output();
  }

  exit(millis?: number): Promise<number | string> {
    return this.#run.exit(millis);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) void docker('kill', '-s', signal, this.#name).catch(() => '');
  }

  async holdings(): Promise<Holdings | undefined> {
    const pid = await docker('inspect', '-f', '{{.State.Pid}}', this.#name).catch(() => '0');
    return pid === '0' ? undefined : holdingsOf(Number(pid));
  }

  async end(): Promise<void> {
    await docker('rm', '-f', this.#name).catch(() => '');
    await this.#run.end();
  }
}

/** @throws Unclear when the engine makes no container: that says nothing of the target */
export const startImageClient = async (
  text: string,
  given: Readonly<Record<string, string>>,
  folders: readonly string[],
): Promise<StartedClient> => {
  const [image = '', ...words] = wordsOf(text);
  const name = `relaylab-case-${randomUUID()}`;
  const mounts = folders.flatMap((folder) => ['-v', `${folder}:${folder}`]);
  const options = ['--label', `${LABEL}=client`, '--name', name, '--interactive', '--network', 'host'];
  const all = [...options, ...ownUser(), ...mounts, ...environmentOf(given)];
  await docker('create', ...all, image, ...filledIn(words, given)).catch((error) => {
    throw new Unclear(`the engine makes no container of ${image}: ${whyNot(error)}`, 'environment');
  });
  return new ImageClient(name);
};
