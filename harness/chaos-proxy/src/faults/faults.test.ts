import t from 'tap';
import { PlayedLink } from '../../testing/played-link.ts';
import { parseFault } from './check.ts';

type Case = {
  readonly claim: string;
  readonly faults: readonly string[];
  /** Plays a connection: `client` and `upstream` are its ends. */
  readonly play: (link: PlayedLink, client: number, upstream: number) => void;
  readonly rows: readonly string[];
  /** What the first fault's receipt says. */
  readonly effects?: number;
  readonly numbers?: Readonly<Record<string, number>>;
};

const CASES: readonly Case[] = [
  {
    claim: 'latency delays bytes and FIN, in its direction only',
    faults: ['latency:ms=60,direction=down'],
    play: (link, client, upstream) =>
      link.bytes(10, client, 'ask').bytes(20, upstream, 'answer').end(20, upstream).until(200),
    rows: ["10 upstream1 send 'ask'", "80 client1 send 'answer'", '80 client1 end'],
    effects: 6,
    numbers: { delayed: 6, delayMillisMean: 60, delayMillisMax: 60 },
  },
  {
    claim: 'latency keeps FIN behind delayed bytes although it came much later',
    faults: ['latency:ms=60'],
    play: (link, client) => link.bytes(10, client, 'ask').end(50, client).until(200),
    rows: ["70 upstream1 send 'ask'", '110 upstream1 end'],
  },
  {
    claim: 'latency of nothing does nothing and says so',
    faults: ['latency:ms=0'],
    play: (link, client) => link.bytes(10, client, 'ask').end(10, client).until(200),
    rows: ["10 upstream1 send 'ask'", '10 upstream1 end'],
    effects: 0,
  },
  {
    claim: 'a rate of 1 kB/s lets one byte out a millisecond',
    faults: ['bandwidth:rate=1000'],
    play: (link, client) => link.bytes(10, client, 'abc').end(10, client).until(100),
    rows: ["11 upstream1 send 'a'", "12 upstream1 send 'b'", "13 upstream1 send 'c'", '13 upstream1 end'],
    effects: 3,
  },
  {
    claim: 'a burst passes at once, what follows keeps the rate',
    faults: ['bandwidth:rate=1000,burst=2'],
    play: (link, client) => link.bytes(10, client, 'abcd').until(100),
    rows: ["10 upstream1 send 'ab'", "11 upstream1 send 'c'", "12 upstream1 send 'd'"],
  },
  {
    claim: 'slices leave in writes of their own with pauses between',
    faults: ['slice:size=2,delayUs=5ms'],
    play: (link, client) => link.bytes(10, client, 'abcde').until(100),
    rows: ["10 upstream1 send 'ab'", "15 upstream1 send 'cd'", "20 upstream1 send 'e'"],
    effects: 2,
  },
  {
    claim: 'slices without a pause are still separate writes',
    faults: ['slice:size=2,delayUs=0'],
    play: (link, client) => link.bytes(10, client, 'abcde').until(100),
    rows: ["10 upstream1 send 'ab'", "10 upstream1 send 'cd'", "10 upstream1 send 'e'"],
  },
  {
    claim: 'coalesce holds bytes for a window and joins them into one write, FIN behind',
    faults: ['coalesce:windowMs=20'],
    play: (link, client) =>
      link.bytes(10, client, 'a').bytes(15, client, 'b').end(16, client).bytes(40, 9999, 'x').until(100),
    rows: ["30 upstream1 send 'ab'", '30 upstream1 end'],
    effects: 2,
  },
  {
    claim: 'cutAfter fin ends one direction behind the byte, the other goes on',
    faults: ['cutAfter:bytes=3,how=fin,direction=up'],
    play: (link, client, upstream) =>
      link
        .bytes(10, client, 'abcdef')
        .bytes(20, client, 'g')
        .end(21, client)
        .bytes(30, upstream, 'on')
        .until(100),
    rows: ["10 upstream1 send 'abc'", '10 upstream1 end', "30 client1 send 'on'"],
    effects: 5,
    numbers: { cut: 1, dropped: 4 },
  },
  {
    claim: 'cutAfter rst lets what is before the byte arrive, then resets both ends',
    faults: ['cutAfter:bytes=3,how=rst,direction=up'],
    play: (link, client) => link.bytes(10, client, 'abcdef').until(2000),
    rows: ["10 upstream1 send 'abc'", '10 client1 reset', '10 upstream1 reset'],
    numbers: { cut: 1 },
  },
  {
    claim: 'cutAfter rst keeps its place behind delayed bytes',
    faults: ['cutAfter:bytes=3,how=rst,direction=up', 'latency:ms=50'],
    play: (link, client) => link.bytes(10, client, 'abcdef').until(2000),
    rows: ["60 upstream1 send 'abc'", '60 client1 reset', '60 upstream1 reset'],
  },
  {
    claim: 'cutAfter finds a marker across chunks',
    faults: ['cutAfter:marker=aab,how=fin,direction=up'],
    play: (link, client) =>
      link.bytes(10, client, 'xa').bytes(11, client, 'aa').bytes(12, client, 'bcd').until(100),
    rows: ["10 upstream1 send 'xa'", "11 upstream1 send 'aa'", "12 upstream1 send 'b'", '12 upstream1 end'],
  },
  {
    claim: 'cutAfter waits for the wanted occurrence of a marker',
    faults: ['cutAfter:marker=hex:0a,occurrence=2,how=fin,direction=up'],
    play: (link, client) => link.bytes(10, client, 'a\nb\nc').until(100),
    rows: ["10 upstream1 send 'a\nb\n'", '10 upstream1 end'],
  },
  {
    claim: 'cutAfter short of its byte does nothing and says so',
    faults: ['cutAfter:bytes=10,how=rst'],
    play: (link, client) => link.bytes(10, client, 'abc').until(100),
    rows: ["10 upstream1 send 'abc'"],
    effects: 0,
  },
  {
    claim: 'cutAfter silent swallows bytes, FIN and RST of both ends',
    faults: ['cutAfter:bytes=3,how=silent,direction=up'],
    play: (link, client, upstream) =>
      link
        .bytes(10, client, 'abcdef')
        .bytes(20, upstream, 'lost')
        .end(30, upstream)
        .closed(40, client, 'reset')
        .until(1e6),
    rows: ["10 upstream1 send 'abc'"],
    numbers: { cut: 1, dropped: 7 },
  },
  {
    claim: 'reset strikes after its time whatever is on its way',
    faults: ['reset:afterMs=30', 'latency:ms=100'],
    play: (link, client) => link.bytes(10, client, 'lost').until(500),
    rows: ['30 client1 reset', '30 upstream1 reset'],
    effects: 1,
  },
  {
    claim: 'reset by byte strikes as soon as the bytes are there',
    faults: ['reset:when.byte=4,direction=up'],
    play: (link, client) => link.bytes(10, client, 'abc').bytes(20, client, 'd').until(500),
    rows: ["10 upstream1 send 'abc'", "20 upstream1 send 'd'", '20 client1 reset', '20 upstream1 reset'],
    effects: 1,
  },
  {
    claim: 'slowClose delays FIN and nothing else',
    faults: ['slowClose:ms=500,direction=up'],
    play: (link, client, upstream) =>
      link.bytes(10, client, 'ask').end(10, client).end(20, upstream).until(1000),
    rows: ["10 upstream1 send 'ask'", '20 client1 end', '510 upstream1 end'],
    effects: 1,
    numbers: { finDelayed: 500 },
  },
  {
    claim: 'slowClose never delays RST',
    faults: ['slowClose:ms=500'],
    play: (link, client) => link.closed(10, client).until(1000),
    rows: ['10 upstream1 reset'],
    effects: 0,
  },
  {
    claim: 'stall holds what is due while it is on and lets all of it out after',
    faults: ['stall:onMs=100,offMs=400,when.afterMillis=50'],
    play: (link, client) =>
      link.bytes(40, client, 'a').bytes(60, client, 'b').bytes(70, client, 'c').end(70, client).until(400),
    rows: ["40 upstream1 send 'a'", "150 upstream1 send 'b'", "150 upstream1 send 'c'", '150 upstream1 end'],
    effects: 2,
    numbers: { stalled: 2, delayMillisMax: 90 },
  },
  {
    claim: 'stall comes again after its clear time',
    faults: ['stall:onMs=100,offMs=400'],
    play: (link, client) => link.bytes(200, client, 'a').bytes(520, client, 'b').until(2000),
    rows: ["200 upstream1 send 'a'", "600 upstream1 send 'b'"],
  },
  {
    claim: 'stall catches bytes that were delayed before it began',
    faults: ['stall:onMs=100,when.afterMillis=50', 'latency:ms=60'],
    play: (link, client) => link.bytes(0, client, 'a').until(500),
    rows: ["150 upstream1 send 'a'"],
  },
  {
    claim: 'lossLike makes segments late and drops none',
    faults: ['lossLike:ratio=1'],
    play: (link, client) => link.bytes(10, client, 'a').bytes(20, client, 'b').until(20_000),
    rows: ["12610 upstream1 send 'a'", "12610 upstream1 send 'b'"],
    effects: 6,
    numbers: { retransmitted: 6 },
  },
  {
    claim: 'corrupt flips one bit of the named byte and leaves the driver its buffer',
    faults: ['corrupt:atByte=1,direction=up'],
    play: (link, client) => {
      const bytes = new TextEncoder().encode('abc');
      link.bytes(10, client, bytes).until(20);
      t.equal(new TextDecoder().decode(bytes), 'abc');
      const sent = link.sent[0]?.bytes[1] ?? 0;
      t.equal([...(sent ^ 0x62).toString(2)].filter((bit) => bit === '1').length, 1, 'one bit differs');
      link.rows.length = 0;
    },
    rows: [],
    effects: 1,
  },
  {
    claim: 'acceptDelay dials later and keeps what the client sent',
    faults: ['acceptDelay:ms=300'],
    play: () => {},
    rows: [],
    effects: 1,
  },
  {
    claim: 'forMillis ends a fault',
    faults: ['latency:ms=60,forMillis=100'],
    play: (link, client) => link.bytes(10, client, 'a').bytes(100, client, 'b').until(300),
    rows: ["70 upstream1 send 'a'", "100 upstream1 send 'b'"],
  },
  {
    claim: 'a stall with forMillis ends early',
    faults: ['stall:onMs=1000,forMillis=50'],
    play: (link, client) => link.bytes(10, client, 'a').until(300),
    rows: ["50 upstream1 send 'a'"],
    effects: 1,
  },
  {
    claim: 'a fault behind a marker leaves the bytes before it alone',
    faults: ['latency:ms=60,when.marker=GO'],
    play: (link, client) => link.bytes(10, client, 'aGOb').until(300),
    rows: ["10 upstream1 send 'aGO'", "70 upstream1 send 'b'"],
    effects: 1,
  },
  {
    claim: 'a fault on fin acts on the FIN itself',
    faults: ['slowClose:ms=40,when.event=fin'],
    play: (link, client) => link.bytes(10, client, 'a').end(20, client).until(300),
    rows: ["10 upstream1 send 'a'", '60 upstream1 end'],
  },
];

for (const { claim, faults, play, rows, effects, numbers } of CASES)
  t.test(claim, (t) => {
    const link = new PlayedLink({ faults: faults.map(parseFault) });
    const { client, upstream } = link.open(0);
    link.take();
    play(link, client, upstream);
    t.same(link.take(), rows);
    const receipt = link.receipt((faults[0] as string).split(':')[0] as string);
    if (effects !== undefined) t.equal(receipt.effects, effects, receipt.text);
    for (const [name, value] of Object.entries(numbers ?? {})) t.equal(receipt.numbers[name], value, name);
    t.end();
  });

t.test('a bandwidth of the link is shared, one of the connection is not', (t) => {
  for (const [scope, last] of [
    ['link', 20],
    ['conn', 10],
  ] as const) {
    const link = new PlayedLink({ faults: [parseFault(`bandwidth:rate=1000,scope=${scope}`)] });
    const one = link.open(0).client;
    const two = link.open(0).client;
    link.bytes(0, one, new Uint8Array(10)).bytes(0, two, new Uint8Array(10)).until(100);
    t.equal(link.sent.at(-1)?.t, last, scope);
  }
  t.end();
});

t.test('refuse resets the first connections without dialling, then lets them in', (t) => {
  const link = new PlayedLink({ faults: [parseFault('refuse:first=2')] });
  for (let i = 0; i < 3; i++) link.open(i);
  t.same(link.take(), ['0 listen', '0 client1 reset', '1 client2 reset', '2 dial upstream']);
  t.equal(link.receipt('refuse').effects, 2);
  t.end();
});

t.test('refuse by ratio refuses about that share, the same connections under the same seed', (t) => {
  const refused = (seed: number): readonly string[] => {
    const link = new PlayedLink({ seed, faults: [parseFault('refuse:ratio=30%')] });
    for (let i = 0; i < 1000; i++) link.open(i, false);
    return link.take().filter((row) => row.endsWith('reset'));
  };
  t.ok(Math.abs(refused(1).length - 300) < 60, `${refused(1).length} of 1000`);
  t.same(refused(1), refused(1));
  t.notSame(refused(1), refused(2));
  t.end();
});

t.test('acceptDelay dials later, early bytes follow, a client that gave up is not dialled for', (t) => {
  const link = new PlayedLink({ faults: [parseFault('acceptDelay:ms=300')] });
  const { client } = link.open(0);
  link.bytes(5, client, 'early').until(299);
  t.same(link.take(), ['0 listen']);
  link.until(300).at(310, { type: 'connected', conn: 1001 });
  t.same(link.take(), ['300 dial upstream', "310 upstream1 send 'early'"]);
  const second = link.open(400).client;
  link.closed(500, second).until(2000);
  t.same(link.take(), []);
  t.end();
});

t.test('down resets living connections, refuses new ones, and ends', (t) => {
  const link = new PlayedLink({ faults: [parseFault('down:when.afterMillis=100,forMillis=50')] });
  link.open(0);
  link.take();
  link.until(100);
  link.open(120);
  link.open(150);
  t.same(link.take(), ['100 client1 reset', '100 upstream1 reset', '120 client2 reset', '150 dial upstream']);
  t.same(link.receipt('down').numbers, { reset: 1, refused: 1, connections: 2 });
  t.end();
});

t.test('selectors choose connections by ordinal, range, first, every and probability', (t) => {
  const SELECTORS: readonly (readonly [string, readonly number[]])[] = [
    ['selector.connections=2', [2]],
    ['selector.connections=2-4', [2, 3, 4]],
    ['selector.first=3', [1, 2, 3]],
    ['selector.every=2', [2, 4, 6]],
    ['selector.every=2,selector.connections=3-6', [4, 6]],
    ['selector.connections=all', [1, 2, 3, 4, 5, 6]],
    ['selector.probability=0', []],
    ['selector.probability=1', [1, 2, 3, 4, 5, 6]],
  ];
  for (const [selector, hit] of SELECTORS) {
    const link = new PlayedLink({ faults: [parseFault(`reset:${selector}`)] });
    for (let i = 0; i < 6; i++) link.open(i);
    const struck = link.take().flatMap((row) => / client(\d+) reset/.exec(row)?.[1] ?? []);
    t.same(struck.map(Number), hit, selector);
  }
  t.end();
});

t.test('jitter stays in its shape', (t) => {
  const SHAPES: readonly (readonly [string, number, number])[] = [
    ['uniform', 35, 85],
    ['normal', 0, 60 + 3.47 * 25],
    ['pareto', 60, 60 + 250],
  ];
  for (const [dist, low, high] of SHAPES) {
    const delays: number[] = [];
    for (let seed = 0; seed < 500; seed++) {
      const link = new PlayedLink({ seed, faults: [parseFault(`latency:ms=60,jitter=25,dist=${dist}`)] });
      link.bytes(0, link.open(0).client, 'x').until(1000);
      delays.push(link.receipt('latency').numbers.delayMillisMax ?? 0);
    }
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    const expected = dist === 'pareto' ? 60 + 25 * 0.95 : 60;
    t.ok(Math.min(...delays) >= low && Math.max(...delays) <= high, `${dist} within ${low} and ${high}`);
    t.ok(Math.abs(mean - expected) < 6, `${dist} mean ${mean.toFixed(1)} is near ${expected}`);
  }
  t.end();
});
