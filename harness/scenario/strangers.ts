/** Raw clients outside that say to a relay what its own clients never do, each to show one clause. */
import type { ScriptStep } from '../agents/actor-spec.ts';
import type { HostedActor } from '../labs/topology.ts';

/**
 * Registers a pool of three, lets the oldest die by FIN and the newest by RST, and serves whoever gets the one between: a relay
 * that hands out dead ones is caught whichever end of its list it takes from.
 */
const DEAD_MEMBERS: readonly ScriptStep[] = [
  { do: 'wait', millis: 6_000 },
  { do: 'dial', conn: 'first' },
  { do: 'send', conn: 'first', text: 'pool\nnew\n' },
  { do: 'line', conn: 'first', as: 'port' },
  { do: 'line', conn: 'first', as: 'id' },
  { do: 'dial', conn: 'second' },
  { do: 'send', conn: 'second', text: 'pool\n{id}\n' },
  { do: 'dial', conn: 'third' },
  { do: 'send', conn: 'third', text: 'pool\n{id}\n' },
  { do: 'wait', millis: 500 },
  { do: 'end', conn: 'first' },
  { do: 'reset', conn: 'third' },
  { do: 'wait', millis: 500 },
  { do: 'serve', conn: 'second' },
  { do: 'mark', name: 'one member is left', port: 'port' },
];

/** Claims an event once, as it should be, and then once more. */
const CLAIM_TWICE: readonly ScriptStep[] = [
  { do: 'wait', millis: 6_500 },
  { do: 'dial', conn: 'control' },
  { do: 'send', conn: 'control', text: 'event\nnew\n' },
  { do: 'line', conn: 'control', as: 'port' },
  { do: 'mark', name: 'event listener', port: 'port' },
  { do: 'line', conn: 'control', as: 'id' },
  { do: 'dial', conn: 'claim' },
  { do: 'send', conn: 'claim', text: 'event\n{id}\n' },
  { do: 'serve', conn: 'claim' },
  { do: 'wait', millis: 200 },
  { do: 'dial', conn: 'again' },
  { do: 'send', conn: 'again', text: 'event\n{id}\n' },
  { do: 'expectEnd', conn: 'again', name: 'PORT-EVENT-5', millis: 5_000 },
];

/** Holds its tongue for a second, so that a relay that speaks first is heard; then registers as everybody does, and leaves. */
const PATIENT: readonly ScriptStep[] = [
  { do: 'wait', millis: 5_500 },
  { do: 'dial', conn: 'c' },
  { do: 'wait', millis: 1_000 },
  { do: 'send', conn: 'c', text: 'event\nnew\n' },
  { do: 'line', conn: 'c', as: 'port' },
  { do: 'end', conn: 'c' },
];

/** Says something that no client says, and watches the relay close. */
const says = (text: string, clause: string, millis: number): readonly ScriptStep[] => [
  { do: 'wait', millis: 5_500 },
  { do: 'dial', conn: 'c' },
  { do: 'send', conn: 'c', text },
  { do: 'expectEnd', conn: 'c', name: clause, millis },
];

const script = (name: string, steps: readonly ScriptStep[]): HostedActor => ({
  who: `users/${name}`,
  actor: { kind: 'script', to: 'relay', steps },
  watch: true,
});

/** They begin six seconds into the run, when users are there. Two of them mark when others may probe what they left. */
export const STRANGERS: readonly HostedActor[] = [
  script('dead-members', DEAD_MEMBERS),
  script('claim-twice', CLAIM_TWICE),
  script('patient', PATIENT),
  script('browser', says('GET / HTTP/1.1\r\n\r\n', 'PORT-CTRL-5', 5_000)),
  script('stranger', says('pool\n0000000000\n', 'PORT-POOL-6', 5_000)),
  script('hasty', [
    { do: 'wait', millis: 5_500 },
    { do: 'dial', conn: 'c' },
    { do: 'end', conn: 'c' },
    { do: 'expectEnd', conn: 'c', name: 'PORT-CTRL-6', millis: 5_000 },
  ]),
];
