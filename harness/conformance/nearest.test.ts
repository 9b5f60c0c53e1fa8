import t from 'tap';
import { nearestNames, unknownName } from './nearest.ts';

const CASES = Array.from({ length: 40 }, (_, i) => `port-relay/pool/some-case-${i}`).concat(
  'port-relay/hostile/silent-probe-fin',
  'port-relay/hostile/silent-probe-reset',
  'port-relay/leak/ports',
);

t.test('a short list is told whole, with the nearest of it', async (t) => {
  t.equal(
    unknownName('capability', 'evnt', ['pool', 'event']),
    "unknown capability 'evnt'; nearest: 'event'. There are: pool, event",
  );
  t.equal(unknownName('capability', 'x', []), "unknown capability 'x'. There are: ");
});

t.test('of a long list three are told, and the command that prints the rest', async (t) => {
  const text = unknownName('case', 'hostile/silent-prob', CASES, 'see --list');
  t.equal(
    text,
    "unknown case 'hostile/silent-prob'; nearest: 'port-relay/hostile/silent-probe-fin', " +
      `'port-relay/hostile/silent-probe-reset', '${nearestNames('hostile/silent-prob', CASES)[2]}'. There are 43: see --list`,
  );
});

for (const typed of ['silent-probe-fni', 'hostile/silent-probe-fni', 'port-relay/hostile/silent-probe-fni'])
  t.test(`${typed} is measured against as much of an id as was typed`, async (t) => {
    t.equal(nearestNames(typed, CASES)[0], 'port-relay/hostile/silent-probe-fin');
  });

t.test('a beginning is nearer than any count of letters', async (t) => {
  t.equal(nearestNames('silent', CASES)[0], 'port-relay/hostile/silent-probe-fin');
});
