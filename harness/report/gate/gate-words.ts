/** What every printed form of a gate's run says alike: standings, the verdict, an event of a wire log. */
import type { GateModel, GateStanding } from '../../conformance/gate.ts';
import type { WireEvent } from '../../conformance/wire/wire-log.ts';
import { OUTCOMES, type Standing } from '../checks.ts';

/** Every standing with its word, in the order of counts. */
export const STANDINGS: readonly (readonly [GateStanding, string])[] = [
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['known', 'known failures'],
  ['inconclusive', 'inconclusive'],
  ['observation', 'observed'],
  ['not-applicable', 'not applicable'],
];

/** Only what counts, and of the rest what there is. */
export const shownCounts = ({ counts }: GateModel): readonly (readonly [GateStanding, string, number])[] =>
  STANDINGS.filter(
    ([standing]) =>
      standing === 'pass' || standing === 'fail' || standing === 'inconclusive' || counts[standing] > 0,
  ).map(([standing, word]) => [standing, word, counts[standing]]);

/** A known failure is drawn like whatever else is reported and not counted. */
export const drawnAs = (standing: GateStanding): Standing =>
  standing === 'known' ? 'observation' : standing;

/** The mark of the whole run. */
export const standingOfGate = ({ exitCode }: GateModel): Standing =>
  exitCode === 0 ? 'pass' : exitCode === 1 || exitCode === 3 ? 'fail' : 'inconclusive';

/** `Passed`, `Failed`, `Stale baseline`; with `(partial)` where not everything was judged. */
export const badgeOf = ({ exitCode, partial }: GateModel): string =>
  `${OUTCOMES[exitCode].badge}${partial === '' ? '' : ' (partial)'}`;

/** ` @mobile+hostile`, or nothing on the direct path. */
export const onPath = (path: string): string => (path === 'direct' ? '' : ` @${path}`);

const HEX_SHOWN = 32;
const TEXT_SHOWN = 40;

/** One line: `    12.4 ms  <- control    5 bytes  343030310a  "4001\n"  <- here`. */
export const wireLine = ({ millis, conn, from, text, hex, bytes, here }: WireEvent): string => {
  const who = from === 'note' ? '--' : from === 'us' ? '->' : '<-';
  const what =
    bytes > 0
      ? `${bytes} bytes  ${hex.slice(0, HEX_SHOWN)}${hex.length > HEX_SHOWN ? '...' : ''}  "${text.slice(0, TEXT_SHOWN)}"`
      : text;
  return `${millis.toFixed(1).padStart(9)} ms  ${who} ${conn.padEnd(10)} ${what}${here ? '  <- here' : ''}`;
};

/** What to do about an entry of the baseline that is out of date. */
export const remedyOf = ({ why }: GateModel['stale'][number]): string =>
  why.startsWith('it expired')
    ? 'mend the case, or give the entry another day by hand'
    : 'take it out: relaylab baseline update';
