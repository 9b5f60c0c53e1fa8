/** Finding the container engine: quickly, and the same one for dockerode and for testcontainers. */
import Docker from 'dockerode';
import { LabError } from '../lab.ts';

/** An engine that answers. `id`: its own name for itself. */
export type Engine = { readonly docker: Docker; readonly version: string; readonly id: string };
export type EngineProbe =
  | { readonly ok: true; readonly version: string; readonly id: string }
  | { readonly ok: false; readonly reason: string };

/** How long an engine may take to say who it is: when nobody asked for it, and when somebody did. */
const ANSWER_MILLIS = { probe: 900, open: 15_000 } as const;

const within = async <Value>(millis: number, work: Promise<Value>, what: string): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${millis} ms`)), millis);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** What a person reads about where the engine was looked for. */
const place = (): string => process.env.DOCKER_HOST ?? '/var/run/docker.sock';

const explain = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `no engine: ${place()} does not exist`;
  if (code === 'ECONNREFUSED') return `no engine: nothing listens at ${place()}`;
  if (code === 'EACCES') return `no permission for the engine at ${place()}`;
  return `the engine at ${place()} cannot be used: ${message}`;
};

/** Asks the engine at DOCKER_HOST (or the usual socket) who it is. Takes less than a second unless told otherwise, never throws. */
export const probeEngine = async (millis: number = ANSWER_MILLIS.probe): Promise<EngineProbe> => {
  try {
    const info = await within(millis, new Docker().info(), 'it');
    if (info.OSType !== 'linux')
      return { ok: false, reason: `the engine runs ${info.OSType} containers, not linux` };
    return { ok: true, version: info.ServerVersion, id: info.ID };
  } catch (error) {
    return { ok: false, reason: explain(error) };
  }
};

/**
 * The engine, with one client for both libraries. testcontainers falls back to other sockets on its own when it does not like
 * one: containers here and networks there would be the result, so the ids are compared.
 * @throws LabError
 */
export const openEngine = async (): Promise<Engine> => {
  const probe = await probeEngine(ANSWER_MILLIS.open);
  if (!probe.ok) throw new LabError(probe.reason, 'start it (bash ci/dockerd.sh), or use --lab local');
  // no reaper image is needed: the lab's own janitor removes what a killed run leaves (janitor.ts)
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const docker = new Docker();
  const { getContainerRuntimeClient } = await import('testcontainers');
  const theirs = await (await getContainerRuntimeClient()).container.dockerode.info();
  if (theirs.ID !== probe.id)
    throw new LabError(
      `two engines: ${place()} is ${probe.id}, testcontainers found ${theirs.ID}`,
      'set DOCKER_HOST to the engine you mean, and remove ~/.testcontainers.properties',
    );
  return { docker, version: probe.version, id: probe.id };
};
