import t from 'tap';
import { natCommands, natHappenings } from './nat-actor.ts';
import { order } from './testing/hand.ts';

for (const [event, expected] of [
  [
    { kind: 'reboot', downMillis: 50 },
    { do: 'reboot', id: 3, downMillis: 50 },
  ],
  [{ kind: 'expire' }, { do: 'expire', id: 3, idleMillis: 0 }],
  [
    { kind: 'flap', millis: 20 },
    { do: 'flap', id: 3, millis: 20 },
  ],
  [{ kind: 'readdress' }, { do: 'readdress', id: 3, publicHost: '127.11.0.2' }],
] as const)
  t.test(`a ${event.kind} is told in the NAT's words`, (t) => {
    t.same(natCommands('127.10.0.2')({ do: 'nat', fault: 3, event }), expected);
    t.end();
  });

t.test('every change of address is one, also the second and the one past 255', (t) => {
  const readdress = { do: 'nat', fault: 1, event: { kind: 'readdress' } } as const;
  const hosts = (from: string | undefined, n: number): unknown[] => {
    const command = natCommands(from);
    return Array.from({ length: n }, () => {
      const told = command(readdress);
      return told?.do === 'readdress' ? told.publicHost : 'none';
    });
  };
  t.same(hosts('127.10.0.2', 2), ['127.11.0.2', '127.12.0.2']);
  t.same(hosts('127.255.0.2', 1), ['127.0.0.2']);
  t.same(hosts('nat/home', 2), ["nat/home'", "nat/home''"], 'names of the simulator');
  t.same(hosts(undefined, 2), [undefined, undefined], 'whatever the system gives');
  t.end();
});

t.test('what is for others is not heard', (t) => {
  t.equal(natCommands('x')(order()), undefined);
  t.end();
});

t.test('a NAT’s reports are said in the trace’s words', (t) => {
  const told = (report: Parameters<typeof natHappenings>[0]) => natHappenings(report, 'home/nat-sink');
  t.same(told({ type: 'nat.ready', port: 9 }), [{ type: 'host.ready', port: 9 }]);
  t.same(told({ type: 'nat.failed', why: 'denied' }), [
    { type: 'host.crashed', reason: 'cannot listen: denied' },
  ]);
  t.same(told({ type: 'nat.stopped', resets: 2 }), [{ type: 'host.stopped', code: 0 }]);
  t.same(told({ type: 'nat.receipt', id: 2, kind: 'reboot', effects: 5, text: 'gone' }), [
    { type: 'fault.receipt', fault: 2, kind: 'nat reboot', site: 'home', effects: 5, text: 'gone' },
    { type: 'fault.ended', fault: 2, kind: 'nat reboot', site: 'home' },
  ]);
  const mapped = { type: 'nat.mapped', conn: 1, port: 2 } as const;
  t.same(told(mapped), [mapped], 'words of the trace stay');
  t.end();
});
