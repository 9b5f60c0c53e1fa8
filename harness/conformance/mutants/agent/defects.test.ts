/** An agent that does not start would fall to every clause: what defects write into its configuration must be taken. */
import t from 'tap';
import { readConfig } from '../../../../reference-impl/agent/config/agent-config.ts';
import { PLUGINS } from '../../../../reference-impl/agent/plugins.ts';
import { CLAUSES } from '../../clauses/registry.ts';
import { MEASUREMENT_CLIENT_DEFECTS } from './client-defects.ts';
import { SOCKET_CONTROL_DEFECTS } from './control-defects.ts';
import { MEASUREMENT_SERVER_DEFECTS } from './server-defects.ts';

const ALL = { MEASUREMENT_CLIENT_DEFECTS, MEASUREMENT_SERVER_DEFECTS, SOCKET_CONTROL_DEFECTS };

for (const [table, defects] of Object.entries(ALL))
  t.test(`${table} name clauses that oblige, and keys that an agent takes`, async (t) => {
    for (const [name, { clause, overrides, spoiler }] of Object.entries(defects)) {
      t.equal(CLAUSES.get(clause)?.level, 'MUST', name);
      t.ok(overrides !== undefined || spoiler !== undefined, `${name}: something is spoiled`);
      if (overrides === undefined) continue;
      const request = {
        ...{ overrides, plugins: undefined, relayIn: undefined },
        ...{ relayOut: '127.0.0.1:1', outputFile: undefined },
      };
      t.doesNotThrow(
        () => readConfig('', 'none', { request, plugins: PLUGINS, environment: {}, platform: 'linux' }),
        name,
      );
    }
  });
