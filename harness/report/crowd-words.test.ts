import t from 'tap';
import type { CrowdFacts } from '../measure/crowd.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { crowdHeadline, crowdNotes, crowdTotals } from './crowd-words.ts';
import { Progress } from './progress.ts';

const CROWD: CrowdFacts = {
  ...{ islands: 100, sites: 100_000, clients: 1_000_000, told: 3_100, wholeSites: 500 },
  ...{
    upAtEnd: 999_900,
    upMost: 1_000_000,
    losses: 1_001_000,
    stopped: 100,
    refused: 4_700_000,
    backSeconds: 5,
  },
};
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f\u2009]/g, ' ');

t.test('the headline counts everybody, and says who is away instead of that all came back', (t) => {
  t.equal(
    plain(crowdHeadline(CROWD)),
    "1 000 000 clients behind 100 000 NATs, on 100 relays, lost their paths 1 001 000 times. All came back, the last within 5 s of the relay's return.",
  );
  t.match(plain(crowdHeadline({ ...CROWD, upAtEnd: 999_898 })), /2 are away at the end\.$/);
  t.match(crowdHeadline({ ...CROWD, backSeconds: -1 }), /All came back\.$/);
  t.match(crowdTotals(CROWD), { declared: 1_000_000, connectedAtEnd: 999_900, losses: 1_001_000 });
  t.end();
});

t.test('notes say how many were watched, that there were islands, and what was not exercised', (t) => {
  const notes = crowdNotes(CROWD, 3).map(plain);
  t.match(notes[0], /^100 islands, .* show island 3; verdicts are of all\.$/);
  t.match(notes[1], /^3 100 of 1 000 000 clients have lines of their own/);
  t.match(notes[2], /^99 500 of 100 000 sites have a border .* at the other 500 sites only/);
  t.equal(crowdNotes({ ...CROWD, islands: 1 }, 0).length, notes.length - 1, 'one world is no island');
  t.end();
});

t.test('while it runs an island is a line, and a long one is heard of', (t) => {
  const progress = new Progress({ form: 'lines', colour: false, utf8: true });
  const say = (at: number, event: object): readonly string[] =>
    progress.event({ t: at * 1e6, who: 'plan', n: 1, ...event } as TraceEvent);
  say(0, { type: 'crowd.declared', islands: 2, sites: 2, clients: 20, stride: 1, wholeSites: 0 });
  t.strictSame(
    say(0, { type: 'island.began', island: 1, of: 2, seed: '1', sites: 1, clients: 10, told: 2 }),
    [],
  );
  t.strictSame(say(5, { type: 'run.phase', name: 'steady' }), [], 'nothing of what happens on it');
  t.strictSame(progress.heartbeat(11e6), ['  11.0 alive island 1/2 clients=10 sites=1 told=2']);
  t.strictSame(say(41, { type: 'island.ended', complete: true, why: 'timeline over' }), [
    '  41.0 island 1/2 clients=10 sites=1 told=2 complete=true "timeline over"',
  ]);
  t.match(say(41, { type: 'run.ended', complete: true, why: 'every island is over' }), [
    /ended complete=true/,
  ]);
  t.end();
});
