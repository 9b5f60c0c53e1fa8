/** The relay as a program in a real lab: our own with its limits (and, to prove a check, with a defect), or the command of `--relay-exec`. */
import type { ActorSpec } from '../agents/actor-spec.ts';
import type { Ground } from './ground.ts';
import type { RelayServer } from './topology.ts';

export const relayProgram = (
  relay: RelayServer,
  keepaliveMillis: number,
  host: string,
  ground: Pick<Ground, 'node' | 'root'>,
): Extract<ActorSpec<never>, { kind: 'program' }> => {
  const { defect } = relay;
  const bin =
    defect === undefined
      ? [`${ground.root}/reference-impl/port-relay/bin/relay.ts`]
      : [`${ground.root}/harness/conformance/mutants/relay.ts`, '--defect', defect];
  const limits = Object.entries({ keepaliveMillis, ...relay.limits });
  const flags = limits.map(
    ([limit, value]) => `--${limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`,
  );
  const argv = relay.exec ?? [ground.node, ...bin, '{port}', '--bind', host, '--log-level', 'warn', ...flags];
  return { kind: 'program', argv, env: {}, host, listens: true };
};
