import t from 'tap';
import { MachineBench } from './machine-bench.ts';
import type { Nat } from './nat.ts';
import { PRESETS } from './presets.ts';

const nat = (change: Partial<Nat> = {}): Nat => ({ ...PRESETS.home, ...change });
const range = (ports: number, change: Partial<Nat> = {}): Nat =>
  nat({ mapping: { kind: 'range', ports }, ...change });

t.test('a connection gets a public port, its bytes go both ways and both ends finish in order', async (t) => {
  const bench = new MachineBench(nat());
  t.strictSame(bench.input({ type: 'start' }), ['listen *:0']);
  t.strictSame(bench.input({ type: 'listening', listener: 0, port: 4000 }), ['ready 4000']);
  t.strictSame(bench.accept(1, 5001), ['connect 100 from pub:5001']);
  t.strictSame(bench.bytes(1, 'early'), []);
  t.strictSame(bench.connected(100), ['mapped 1 5001', 'send 100 early']);
  t.strictSame(bench.bytes(100, 'answer'), ['send 1 answer']);
  t.strictSame(bench.ended(1), ['end 100']);
  t.strictSame(bench.bytes(100, 'after half-close'), ['send 1 after half-close']);
  t.strictSame(bench.ended(100), ['end 1']);
  t.strictSame([...bench.closed(1, 'end'), ...bench.closed(100, 'end')], []);
  t.equal(bench.command({ do: 'expire', id: 1, idleMillis: 0 })[0], 'dropped 0 expire', 'nothing is left');
});

t.test('an inner end that finishes before the upstream answers is finished there afterwards', async (t) => {
  const bench = new MachineBench(nat());
  bench.accept(1, 5001);
  bench.bytes(1, 'x');
  bench.ended(1);
  t.strictSame(bench.connected(100), ['mapped 1 5001', 'send 100 x', 'end 100']);
});

t.test('a reset of one end becomes a reset of the other', async (t) => {
  for (const [gone, other] of [
    [1, 100],
    [100, 1],
  ] as const) {
    const bench = new MachineBench(nat());
    bench.open(1);
    t.strictSame(bench.closed(gone, 'reset'), [`reset ${other}`]);
  }
});

t.test('a refused upstream resets the inner end, an inner reset gives the dial up', async (t) => {
  const refused = new MachineBench(nat());
  refused.accept(1, 5001);
  t.strictSame(refused.closed(100, 'refused'), ['reset 1']);
  const gaveUp = new MachineBench(nat());
  gaveUp.accept(1, 5001);
  t.strictSame(gaveUp.closed(1, 'reset'), ['reset 100']);
});

t.test('a slow end stops the reading of the other, and lets it go on when it has taken enough', async (t) => {
  const bench = new MachineBench(nat());
  bench.open(1);
  t.strictSame(bench.bytes(1, 65_536), ['send 100 65536', 'flush 100']);
  t.strictSame(bench.bytes(1, 200_000), ['send 100 200000', 'pause 1']);
  t.strictSame(bench.input({ type: 'flushed', conn: 100 }), ['flush 100', 'resume 1']);
  t.strictSame(bench.input({ type: 'flushed', conn: 100 }), []);
});

t.test('what comes before the upstream answers is held up to 64 KiB, then not read', async (t) => {
  const bench = new MachineBench(nat());
  bench.accept(1, 5001);
  t.strictSame(bench.bytes(1, 65_536), []);
  t.strictSame(bench.bytes(1, 1), ['pause 1']);
  t.strictSame(bench.connected(100), [
    'mapped 1 5001',
    'send 100 65536',
    'flush 100',
    'send 100 \0',
    'resume 1',
  ]);
});

t.test('mapping kinds choose ports', async (t) => {
  const ports = (value: Nat): number[] => {
    const bench = new MachineBench(value);
    return [1, 2, 3, 4].map((conn) => Number(bench.accept(conn, 5_000 + conn)[0]?.split(':')[1]));
  };
  t.strictSame(ports(nat()), [5001, 5002, 5003, 5004], 'preserving keeps');
  t.strictSame(ports(range(4)).sort(), [20_000, 20_001, 20_002, 20_003], 'a range uses each of its ports');
  const random = ports(nat({ mapping: { kind: 'random' } }));
  t.equal(new Set(random).size, 4, 'random ports differ');
  t.ok(random.every((port) => port >= 1024 && port <= 65_535 && (port < 5001 || port > 5004)));
  const twice = new MachineBench(nat());
  twice.open(1, 5001);
  t.not(twice.accept(2, 5001)[0], 'connect 101 from pub:5001', 'a taken port is not shared');
});

t.test('a port the system will not bind is replaced; without a public host the system chooses', async (t) => {
  const bench = new MachineBench(nat());
  bench.accept(1, 5001);
  const again = bench.closed(100, 'exhausted');
  t.match(again[0], /^connect 101 from pub:\d+$/);
  t.not(again[0], 'connect 101 from pub:5001');
  const free = new MachineBench(nat(), { publicHost: undefined });
  t.strictSame(free.accept(1, 5001), ['connect 100']);
  t.strictSame(free.connected(100), ['mapped 1 0']);
});

t.test(
  'when the system binds no port it may choose, and if that fails too the inner end is reset',
  async (t) => {
    const bench = new MachineBench(nat());
    let words = bench.accept(1, 5001);
    for (let outer = 100; outer < 108; outer++) words = bench.closed(outer, 'exhausted');
    t.strictSame(words, ['connect 108 from pub:0']);
    t.strictSame(bench.closed(108, 'exhausted'), ['reset 1']);
  },
);

t.test('a range whose ports the system does not give is exhausted', async (t) => {
  const bench = new MachineBench(range(4, { exhaustion: 'rst' }));
  bench.accept(1, 5001);
  for (let outer = 100; outer < 107; outer++)
    t.match(bench.closed(outer, 'exhausted'), [/^connect \d+ from pub:2000\d$/]);
  t.strictSame(bench.closed(107, 'exhausted'), ['exhausted 0', 'reset 1']);
});

t.test('idle expiry', async (t) => {
  const idle = { establishedMillis: 60_000 };
  const keepalives = { innerKeepaliveMillis: 75_000, outerKeepaliveMillis: 90_000 };
  const expired = ['expired 1 60000'];

  t.test('silent: both ends are lost and learn it at their keepalive time', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'silent' } }), keepalives);
    bench.open(1);
    t.strictSame(bench.to(59_999), []);
    t.strictSame(bench.to(60_000), expired);
    t.strictSame([...bench.bytes(1, 'lost'), ...bench.bytes(100, 'lost')], []);
    t.strictSame(bench.to(75_000), ['reset 1', 'noticed 1 inner keepalive']);
    t.strictSame(bench.to(90_000), ['reset 100', 'noticed 1 outer keepalive']);
    t.match(
      bench.command({ do: 'receipt', id: 9 })[0],
      /^receipt 9 receipt 1 .*1 expired.*8 bytes discarded, 2 ends reset/,
    );
  });

  t.test('rst: the next packet of each end is answered', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'rst' } }), keepalives);
    bench.open(1);
    bench.to(60_000);
    t.strictSame(bench.bytes(1, 'x'), ['reset 1', 'noticed 1 inner rst']);
    t.strictSame(bench.ended(100), ['reset 100', 'noticed 1 outer rst'], 'a FIN is a packet, too');
  });

  t.test('rst: a keepalive probe is a packet as well', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'rst' } }), keepalives);
    bench.open(1);
    t.strictSame(bench.to(75_000), [...expired, 'reset 1', 'noticed 1 inner rst']);
  });

  t.test('rebind: the inner end goes out from another port and is reset, the outer end hangs', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'rebind' } }), keepalives);
    bench.open(1);
    bench.to(60_000);
    t.strictSame(bench.bytes(100, 'x'), []);
    const words = bench.bytes(1, 'x');
    t.match(words[0], /^mapped 1 \d+$/);
    t.not(words[0], 'mapped 1 5001');
    t.strictSame(words.slice(1), ['reset 1', 'noticed 1 inner rst']);
    t.strictSame(bench.to(90_000), ['reset 100', 'noticed 1 outer keepalive']);
  });

  t.test('traffic in either direction refreshes', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'silent' } }));
    bench.open(1);
    bench.to(50_000);
    bench.bytes(1, 'x');
    bench.to(100_000);
    bench.bytes(100, 'x');
    t.strictSame(bench.to(159_999), []);
    t.strictSame(bench.to(160_000), expired);
  });

  t.test('a keepalive below the timeout keeps the mapping for ever', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'silent' } }), {
      innerKeepaliveMillis: 45_000,
    });
    bench.open(1);
    t.strictSame(bench.to(10_000_000), []);
    t.strictSame(bench.bytes(1, 'x'), ['send 100 x']);
  });

  t.test('a half-closed connection expires after the transitory timeout', async (t) => {
    const bench = new MachineBench(PRESETS.rfc5382);
    bench.open(1);
    bench.ended(1);
    t.strictSame(bench.to(240_000), ['expired 1 240000']);
  });

  t.test('a packet that comes later than the timeout is late even if no alarm rang', async (t) => {
    const bench = new MachineBench(nat({ idle: { ...idle, notify: 'silent' } }));
    bench.open(1);
    const words = bench.machine.handle(60_000, { type: 'bytes', conn: 1, bytes: new Uint8Array(3) });
    t.match(words, [{ type: 'report', event: { type: 'nat.expired' } }]);
    t.equal(words.length, 1);
  });
});

t.test('exhaustion', async (t) => {
  const full = (value: Nat): MachineBench => {
    const bench = new MachineBench(value);
    bench.open(1);
    bench.open(2);
    return bench;
  };

  t.test('silent: held, and served by the next port that is free', async (t) => {
    const bench = full(range(2));
    t.strictSame(bench.accept(3, 5003), ['exhausted 2']);
    t.strictSame(bench.bytes(3, 'waits'), []);
    bench.ended(1);
    bench.ended(100);
    bench.closed(1, 'end');
    t.match(bench.closed(100, 'end')[0], /^connect 102 from pub:2000[01]$/);
    t.match(bench.connected(102), [/^mapped 3 2000[01]$/, 'send 102 waits']);
  });

  t.test('silent: given up after 127 s like a SYN nobody answers', async (t) => {
    const bench = full(range(2, { idle: { establishedMillis: 1_000_000, notify: 'silent' } }));
    bench.accept(3, 5003);
    t.strictSame(bench.to(127_000), ['reset 3']);
  });

  for (const exhaustion of ['rst', 'icmp'] as const) {
    t.test(`${exhaustion}: reset at once`, async (t) => {
      const bench = full(range(2, { exhaustion }));
      t.strictSame(bench.accept(3, 5003), ['exhausted 2', 'reset 3']);
      t.match(
        bench.command({ do: 'receipt', id: 1 })[0],
        /^receipt 1 receipt 1 .*1 connection found no port/,
      );
    });
  }

  t.test('an expired mapping frees its port; the upstream gives the dead connection up', async (t) => {
    const bench = full(range(2, { idle: { establishedMillis: 1_000, notify: 'silent' } }));
    bench.to(1_000);
    const words = bench.accept(3, 5003);
    t.match(words, [/^reset 10[01]$/, /^noticed [12] outer rst$/, /^connect 102 from pub:2000[01]$/]);
  });
});

t.test('commands', async (t) => {
  t.test('expire forgets what was idle that long, and says how much', async (t) => {
    const bench = new MachineBench(nat());
    bench.open(1);
    bench.to(10_000);
    bench.open(2);
    t.strictSame(bench.command({ do: 'expire', id: 3, idleMillis: 5_000 }), [
      'dropped 1 expire',
      'receipt 3 expire 1 1 mapping dropped',
    ]);
    t.strictSame(bench.bytes(1, 'x'), [], 'the first is gone');
    t.strictSame(bench.bytes(2, 'x'), ['send 101 x'], 'the second is not');
  });

  t.test('reboot forgets everything and passes nothing until it is back', async (t) => {
    const bench = new MachineBench(nat());
    bench.open(1);
    bench.accept(2, 5002);
    t.strictSame(bench.command({ do: 'reboot', id: 4, downMillis: 300 }), [
      'pause 1',
      'pause 100',
      'pause 2',
      'reset 101',
      'dropped 2 reboot',
    ]);
    t.strictSame(bench.accept(3, 5003), ['pause 3']);
    t.strictSame(bench.to(300), [
      'resume 1',
      'resume 100',
      'resume 2',
      'resume 3',
      'connect 102 from pub:5002',
      'connect 103 from pub:5003',
      'receipt 4 reboot 3 2 mappings dropped, down 300 ms, 1 new connection held',
    ]);
    t.strictSame(bench.bytes(1, 'x'), [], 'the old connection is dead');
  });

  t.test('reboot without a time down is over at once', async (t) => {
    const bench = new MachineBench(nat({ idle: { establishedMillis: 60_000, notify: 'rst' } }));
    bench.open(1);
    t.strictSame(bench.command({ do: 'reboot', id: 4, downMillis: 0 }), [
      'dropped 1 reboot',
      'receipt 4 reboot 1 1 mapping dropped, no time down',
    ]);
    t.strictSame(bench.bytes(1, 'x'), ['reset 1', 'noticed 1 inner rst']);
  });

  t.test('readdress: old connections die, new ones leave from the new address', async (t) => {
    const bench = new MachineBench(nat({ idle: { establishedMillis: 60_000, notify: 'rst' } }));
    bench.open(1);
    t.strictSame(bench.command({ do: 'readdress', id: 5, publicHost: 'new' }), [
      'dropped 1 readdress',
      'receipt 5 readdress 1 1 mapping dropped, now new',
    ]);
    t.strictSame(bench.bytes(100, 'x'), [], 'nobody answers from the old address');
    t.strictSame(bench.bytes(1, 'x'), ['reset 1', 'noticed 1 inner rst']);
    t.strictSame(bench.accept(2, 5001), ['connect 101 from new:5001']);
  });

  t.test('flap: everything waits, nothing is lost', async (t) => {
    const bench = new MachineBench(nat());
    bench.open(1);
    bench.accept(2, 5002);
    t.strictSame(bench.command({ do: 'flap', id: 6, millis: 2_000 }), ['pause 1', 'pause 100', 'pause 2']);
    t.strictSame(bench.connected(101), ['pause 101'], 'an answer during the outage counts afterwards');
    t.strictSame(bench.to(2_000), [
      'resume 1',
      'resume 100',
      'resume 2',
      'resume 101',
      'mapped 2 5002',
      'receipt 6 flap 2 2 connections stalled, down 2 s, 0 new connections held',
    ]);
    t.strictSame(bench.bytes(1, 'x'), ['send 100 x']);
  });

  t.test('outages that overlap end together, each with its receipt, and only once', async (t) => {
    const bench = new MachineBench(nat());
    bench.open(1);
    bench.command({ do: 'flap', id: 1, millis: 500 });
    bench.to(400);
    bench.command({ do: 'flap', id: 2, millis: 500 });
    t.strictSame(bench.to(899), []);
    t.equal(bench.to(900).filter((word) => word.startsWith('receipt')).length, 2);
    bench.command({ do: 'flap', id: 3, millis: 500 });
    t.match(
      bench.to(2_000).filter((word) => word.startsWith('receipt')),
      [/^receipt 3 /],
    );
  });

  t.test('a flap of a NAT nobody uses has no effect to show', async (t) => {
    const bench = new MachineBench(nat());
    bench.command({ do: 'flap', id: 6, millis: 2_000 });
    t.match(bench.to(2_000), ['receipt 6 flap 0 0 connections stalled, down 2 s, 0 new connections held']);
  });

  t.test('stop resets everything, and who comes later', async (t) => {
    const bench = new MachineBench(nat());
    bench.open(1);
    t.strictSame(bench.input({ type: 'stop' }), ['unlisten', 'reset 1', 'reset 100', 'stopped 2']);
    t.strictSame(bench.accept(2, 5002), ['reset 2']);
    t.equal(bench.machine.deadline(), undefined);
  });
});

t.test(
  'behind a carrier a rebooted home NAT leaves the carrier its mappings until they idle out',
  async (t) => {
    const value = { ...PRESETS.cgnat, mapping: { kind: 'range', ports: 1 } } as const;
    const bench = new MachineBench(value);
    bench.open(1);
    bench.command({ do: 'reboot', id: 1, downMillis: 0 });
    t.strictSame(bench.accept(2, 5002), ['exhausted 1'], 'the carrier still counts the old one');
    t.strictSame(bench.to(126_999), []);
    t.strictSame(bench.closed(2, 'reset'), []);
    t.strictSame(bench.to(600_000), []);
    t.match(bench.accept(3, 5003), ['reset 100', 'noticed 1 outer rst', 'connect 101 from pub:20000']);
  },
);

t.test('a dial to its own public address needs hairpin', async (t) => {
  const upstream = { upstream: { host: 'pub', port: 1 } };
  t.strictSame(new MachineBench(nat(), upstream).accept(1, 5001), ['connect 100 from pub:5001']);
  const without = new MachineBench(nat({ hairpin: false }), upstream);
  t.strictSame(without.accept(1, 5001), []);
  t.strictSame(without.to(127_000), ['reset 1']);
  const resets = nat({ hairpin: false, unsolicited: 'reset' });
  t.strictSame(new MachineBench(resets, upstream).accept(1, 5001), ['reset 1']);
});

t.test('a listener that fails is said', async (t) => {
  const bench = new MachineBench(nat());
  t.strictSame(bench.input({ type: 'unlistened', listener: 0, why: 'in use' }), ['failed in use']);
});
