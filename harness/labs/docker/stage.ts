/** What all hosts of one run share, and how an agent is started in one. */
import { tmpdir } from 'node:os';
import { parse, relative, sep } from 'node:path';
import { compileCache } from '../compile-cache.ts';
import { DockerChannel } from './channel.ts';
import type { Engine } from './engine.ts';
import { type Place, startHost } from './host-container.ts';
import { NODE_IN_IMAGE } from './image.ts';
import { nameFor, type RunLabels } from './labels.ts';
import type { LabNetwork, Networks } from './networks.ts';

export type Stage = {
  readonly engine: Engine;
  readonly image: string;
  readonly runId: string;
  readonly labels: RunLabels;
  readonly networks: Networks;
  /** The public side: relay, users and the outer face of every NAT. */
  readonly wan: LabNetwork;
  /** For gateways that move: none comes twice. */
  readonly nextAddress: () => string;
  /** The agent program, an absolute path inside one of `folders`. */
  readonly agent: string;
  /** Folder of this repository. */
  readonly root: string;
  /** Folders every agent sees, read-only, at their own paths; the last one is where it works. */
  readonly folders: readonly string[];
  /** Agents outlive the runner. */
  readonly keep: boolean;
};

/** Folders a bind mount would break a container with. */
const SYSTEM = /^\/(bin|boot|dev|etc|lib[^/]*|opt|proc|root|run|sbin|sys|tmp|usr|var)?$/;

/** Folders agents see: the repository, and where the command was typed (for `--relay-exec ./mine`) unless that is inside it. */
export const foldersFor = (repository: string, workFolder: string): readonly string[] => {
  // installed as a package, it finds the packages it needs beside itself
  const root = /^(.*?\/node_modules)\//.exec(repository)?.[1] ?? repository;
  const way = relative(root, workFolder);
  const inside = way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
  if (
    !inside &&
    (SYSTEM.test(workFolder) || workFolder === tmpdir() || parse(workFolder).root === workFolder)
  )
    return [root];
  return inside ? [root] : [root, workFolder];
};

/** Shell: sets the way out, raises the limit of open files as far as the engine lets it, then becomes the agent. */
const AGENT_START = `
case $1 in none) ip route del default ;; *) ip route replace default via "$1" ;; esac || exit 96
if ! [ -r "$3" ]; then echo "$3 cannot be seen in the container: does the engine run on another machine?" >&2; exit 97; fi
most=$(ulimit -Hn); case $most in unlimited) most=1048576 ;; esac
[ "$most" -le 1048576 ] || most=1048576
ulimit -Sn "$most"`;

/** Agents end with their input: one that is to stay gets an input that goes on, and an output that is always read. */
const AGENT_RUN = {
  once: 'exec "$2" "$3"',
  kept: '{ cat; sleep 21600; } | "$2" "$3" | { cat; cat >/dev/null; }',
} as const;

/** Starts a container for an agent. `sees`: folders of this machine besides those of the stage. */
export const startAgentHost = (
  stage: Stage,
  host: string,
  place: Place,
  sees: readonly string[] = [],
): Promise<string> =>
  startHost({
    docker: stage.engine.docker,
    image: stage.image,
    name: nameFor(stage.runId, host, 'host'),
    hostname: nameFor('', host, '').replace(/^relaylab--|-$/g, ''),
    labels: stage.labels,
    places: [place],
    role: 'agent',
    folders: [...stage.folders, ...sees],
  });

/** Starts the agent of a host. `gateway`: its way out; undefined: only what is in its own network can be reached. */
export const openAgent = (
  stage: Stage,
  host: string,
  container: string,
  gateway: string | undefined,
): Promise<DockerChannel> =>
  DockerChannel.open(stage.engine.docker, {
    host,
    container,
    command: [
      '/bin/sh',
      '-c',
      `${AGENT_START}\n${stage.keep ? AGENT_RUN.kept : AGENT_RUN.once}`,
      'agent',
      gateway ?? 'none',
      NODE_IN_IMAGE,
      stage.agent,
    ],
    folder: stage.folders.at(-1) as string,
    env: compileCache(stage.root),
  });
