import t from 'tap';
import type { Batch } from '../../measurement-relay/messages.ts';
import { AgentError } from '../agent-error.ts';
import { ConfigTable } from '../config/config-table.ts';
import type { Output } from '../pipeline/element.ts';
import { capturingLog } from '../testing/capturing-log.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { addressText, parseAddress } from './address.ts';
import { limitedWarnings } from './limited-log.ts';
import { relayClientPlugin } from './relay-client-plugin.ts';
import { relayServerPlugin } from './relay-server-plugin.ts';
import { lastStoredByAll } from './relay-server-source.ts';

t.test('addresses are read in every form', async (t) => {
  for (const [text, address] of [
    ['192.168.1.10:50051', { host: '192.168.1.10', port: 50_051 }],
    ['[::]:0', { host: '::', port: 0 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
    [':50051', { host: '', port: 50_051 }],
    ['relay.example.org:65535', { host: 'relay.example.org', port: 65_535 }],
    ['relay.example.org', undefined],
    ['::1:50051', undefined],
    ['a:65536', undefined],
    ['a:', undefined],
    ['', undefined],
  ] as const)
    t.same(parseAddress(text, 0), address, text);
  t.equal(parseAddress('a:0', 1), undefined);
  t.equal(addressText({ host: '::1', port: 5 }), '[::1]:5');
});

t.test('the tables of the documentation are read as they are', async (t) => {
  const client = relayClientPlugin.read(
    new ConfigTable('plugins.relay-client', {
      client_name: 'node-7',
      relay_server: '192.168.1.10:50051',
      buffer_max_length: 200,
      buffer_timeout: '30s',
      retry: { max_times: 5, initial_delay: '1s', max_delay: '10s' },
    }),
  );
  t.match(client, {
    clientName: 'node-7',
    server: { host: '192.168.1.10', port: 50_051 },
    bufferMaxLength: 200,
    bufferTimeoutMillis: 30_000,
    retry: { maxTimes: 5, initialDelayMillis: 1_000, maxDelayMillis: 10_000 },
  });
  t.match(relayServerPlugin.read(new ConfigTable('', { address: '[::]:50051' })), {
    listen: { host: '::', port: 50_051 },
  });
  t.match(relayClientPlugin.read(new ConfigTable('', { retry: { forever: true } })), {
    retry: { maxTimes: Infinity },
  });
  t.equal(
    relayClientPlugin.read(new ConfigTable('', { client_name: '' })).clientName,
    '',
    'an empty name is one',
  );
});

t.test('an address that is none is refused with its form', async (t) => {
  for (const read of [
    () => relayClientPlugin.read(new ConfigTable('plugins.relay-client', { relay_server: '::1:50051' })),
    () => relayClientPlugin.read(new ConfigTable('plugins.relay-client', { relay_server: ':50051' })),
    () => relayServerPlugin.read(new ConfigTable('plugins.relay-server', { address: '50051' })),
  ])
    try {
      read();
      t.fail('it was taken');
    } catch (error) {
      t.ok(
        error instanceof AgentError && error.code === 'CONFIG_ADDRESS' && error.hint.includes('[::1]:50051'),
      );
    }
});

const output = (stored: number | undefined | 'cannot tell'): Output => ({
  name: 'x/out',
  open: async () => undefined,
  write: async (_: Batch) => undefined,
  flush: async () => undefined,
  close: async () => undefined,
  ...(stored === 'cannot tell' ? {} : { lastStored: async () => stored }),
});

t.test('a client goes on behind what every output that can tell has stored', async (t) => {
  const last = (...stored: readonly Parameters<typeof output>[0][]): Promise<number | undefined> =>
    lastStoredByAll(stored.map(output), 'c', 's');
  t.equal(await last(7), 7);
  t.equal(await last(7, 5), 5);
  t.equal(await last(7, 'cannot tell'), 7);
  t.equal(await last(7, undefined), undefined, 'one has nothing');
  t.equal(await last('cannot tell'), undefined);
  t.equal(await last(), undefined);
});

t.test('warnings that peers can cause are few, and what was left out is counted', async (t) => {
  const log = capturingLog();
  const clock = new ManualClock();
  const warn = limitedWarnings(log, clock);
  for (let i = 0; i < 100; i++) warn('a', { i }, 'a');
  warn('b', {}, 'b');
  t.equal(log.lines.length, 11);
  await clock.turn(10_000);
  warn('a', {}, 'a');
  t.match(log.lines.slice(11), [{ fields: { kind: 'a', left: 90 } }, { text: 'a' }]);
});
