import { IdentityRelayMachine } from '../../reference-impl/identity-relay/relay/relay-machine.ts';
import type { RelayReport } from '../../reference-impl/identity-relay/relay/relay-report.ts';
import type { NetMachine } from '../../reference-impl/machine/machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand } from './actor-spec.ts';
import type { ActorWorld } from './actors.ts';
import { chanceOf, identityNamed, RELAY_KEY } from './identity-keys.ts';
import type { IdentityRelaySpec } from './identity-spec.ts';
import { translated } from './translated.ts';

const told = (report: RelayReport): readonly Happening[] => {
  switch (report.type) {
    case 'strelay.listening':
      return [{ type: 'host.ready', port: report.port }];
    case 'strelay.failed':
      return [{ type: 'host.crashed', reason: `port ${report.port}: ${report.why}` }];
    case 'strelay.refused':
      return [{ type: 'identity.refused', conn: report.conn, why: report.why }];
    case 'strelay.drained':
      return [{ type: 'host.stopped', code: 0 }];
    default:
      return [];
  }
};

/** Our identity relay, with the times of the lab. */
export const identityRelay = (
  { times }: IdentityRelaySpec,
  world: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const chance = chanceOf(world);
  const { keepaliveMillis, silenceMillis, rekeyMillis, halfTunnelMillis } = times;
  const machine = new IdentityRelayMachine({
    port: world.port,
    identity: identityNamed(world.seed, RELAY_KEY),
    chance: () => chance,
    limits: {
      ...{ keepaliveMillis, rekeyMillis },
      ...{ silenceMillisMax: silenceMillis, halfTunnelMillisMax: halfTunnelMillis },
    },
  });
  return translated(machine, () => undefined, told);
};
