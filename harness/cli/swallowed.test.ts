import t from 'tap';
import { type Flag, refuseSwallowed } from './swallowed.ts';
import { UsageError } from './usage.ts';

const flag = (name: string, accepts?: RegExp): Flag => ({
  name,
  takesValue: accepts !== undefined,
  accepts: (word) => accepts?.test(word) === true,
});
const FLAGS = [
  flag('lab', /^(auto|sim|local|docker|netns)$/),
  flag('seed', /^[0-9a-f]+$/),
  flag('sites', /^\d+$/),
  flag('relay-exec', /./),
  flag('keep'),
];

/** What npm 11 makes of a command line: tried with npm 11.19. */
const TABLE: readonly (readonly [string, Record<string, string>, readonly string[], string])[] = [
  ['nat-pool --lab sim', { lab: 'true' }, ['nat-pool', 'sim'], 'nat-pool -- --lab sim'],
  ['nat-pool --lab=sim', { lab: 'sim' }, ['nat-pool'], 'nat-pool -- --lab sim'],
  ['--lab sim nat-pool', { lab: 'true' }, ['sim', 'nat-pool'], 'nat-pool -- --lab sim'],
  ['nat-pool --keep', { keep: 'true' }, ['nat-pool'], 'nat-pool -- --keep'],
  ['nat-pool --seed 1', { seed: 'true' }, ['nat-pool', '1'], 'nat-pool -- --seed 1'],
  [
    'nat-pool --lab sim --seed 1',
    { lab: 'true', seed: 'true' },
    ['nat-pool', 'sim', '1'],
    'nat-pool -- --lab sim --seed 1',
  ],
  [
    'nat-pool --lab local --relay-exec ./r',
    { lab: 'true', relay_exec: 'true' },
    ['nat-pool', 'local', './r'],
    'nat-pool -- --lab local --relay-exec ./r',
  ],
  [
    'nat-pool --relay-exec="./r {port}"',
    { relay_exec: './r {port}' },
    ['nat-pool'],
    "nat-pool -- --relay-exec './r {port}'",
  ],
  [
    'nat-pool --lab sim -- --sites 3',
    { lab: 'true' },
    ['nat-pool', 'sim', '--sites', '3'],
    'nat-pool -- --lab sim --sites 3',
  ],
  // which number was whose npm has forgotten: nobody guesses
  [
    'nat-pool --seed 1 --sites 3',
    { seed: 'true', sites: 'true' },
    ['nat-pool', '1', '3'],
    'nat-pool -- --seed VALUE --sites VALUE',
  ],
  ['--lab sim', { lab: 'true' }, ['sim'], 'sim -- --lab VALUE'],
];

for (const [typed, config, args, line] of TABLE)
  t.test(`npm run scenario ${typed}`, (t) => {
    const env: NodeJS.ProcessEnv = { npm_lifecycle_event: 'scenario' };
    for (const [name, value] of Object.entries(config)) env[`npm_config_${name}`] = value;
    try {
      refuseSwallowed(env, 'scenario', FLAGS, args, (word) => word === 'nat-pool');
      t.fail('was not refused');
    } catch (error) {
      t.ok(error instanceof UsageError);
      t.match((error as Error).message, `\n\n  npm run scenario ${line}\n`);
    }
    t.end();
  });

t.test('nothing is refused that npm did not take', (t) => {
  const refuse = (env: NodeJS.ProcessEnv) => () =>
    refuseSwallowed(env, 'scenario', FLAGS, ['nat-pool'], () => true);
  t.doesNotThrow(refuse({ npm_lifecycle_event: 'scenario' }));
  t.doesNotThrow(refuse({ npm_lifecycle_event: 'scenario', npm_config_keep: '', npm_config_yes: 'true' }));
  t.doesNotThrow(refuse({ npm_lifecycle_event: 'test', npm_config_lab: 'sim' }), 'another script');
  t.doesNotThrow(refuse({ npm_config_lab: 'sim' }), 'not run by npm');
  t.end();
});
