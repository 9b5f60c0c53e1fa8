import fc from 'fast-check';
import t from 'tap';
import {
  type Direction,
  decodeRequest,
  encodeRequest,
  locate,
  payload,
  REQUEST_BYTES,
  TUNNELS_MAX,
} from './payload.ts';

const SEED = 20_261_121;
const tunnels = fc.integer({ min: 0, max: TUNNELS_MAX - 1 });
const directions = fc.constantFrom<Direction>('up', 'down');
const offsets = fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 2 ** 31 }));

t.test('payload is the same bytes however it is cut', async () => {
  fc.assert(
    fc.property(tunnels, directions, offsets, fc.nat(300), fc.nat(300), (tunnel, direction, offset, a, b) => {
      const whole = Buffer.from(payload(tunnel, direction, offset, a + b));
      const parts = [payload(tunnel, direction, offset, a), payload(tunnel, direction, offset + a, b)];
      return Buffer.concat(parts).equals(whole) && whole.length === a + b;
    }),
    { seed: SEED },
  );
});

t.test('from any 23 bytes one can read where they belong', async () => {
  fc.assert(
    fc.property(tunnels, directions, offsets, (tunnel, direction, offset) => {
      const found = locate(payload(tunnel, direction, offset, 23), 0);
      return found?.tunnel === tunnel && found.direction === direction && found.offset === offset;
    }),
    { seed: SEED },
  );
});

t.test('other bytes belong nowhere', async (t) => {
  for (const bytes of [
    new Uint8Array(64).fill(0x20),
    Buffer.from('GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n'),
    new Uint8Array(15),
  ])
    t.equal(locate(bytes, 0), undefined);
  const good = payload(7, 'up', 80, 16);
  good[9] = (good[9] ?? 0) ^ 1;
  t.equal(locate(good, 0), undefined, 'one bit is enough');
});

t.test('a request says everything a service needs', async () => {
  const request = fc.record({
    tunnel: tunnels,
    up: fc.integer({ min: REQUEST_BYTES, max: 2 ** 31 }),
    down: fc.integer({ min: 0, max: 2 ** 31 }),
    mode: fc.constantFrom('pool', 'event', 'multiplex', 'forwarder'),
    close: fc.constantFrom('half', 'full', 'abort'),
    round: fc.integer({ min: -1, max: 1_000 }),
  });
  fc.assert(
    fc.property(request, (given) => {
      const read = decodeRequest(encodeRequest(given));
      return JSON.stringify(read) === JSON.stringify(given);
    }),
    { seed: SEED },
  );
});

t.test('what is no request is not taken for one', async (t) => {
  const bytes = encodeRequest({ tunnel: 5, up: 100, down: 100, mode: 'pool', close: 'half', round: -1 });
  t.equal(decodeRequest(bytes)?.tunnel, 5);
  for (const at of [0, 4, 16, 17, 28]) {
    const spoiled = bytes.slice();
    spoiled[at] = (spoiled[at] ?? 0) ^ 0x40;
    t.equal(decodeRequest(spoiled), undefined, `byte ${at}`);
  }
  t.equal(decodeRequest(payload(5, 'up', 0, REQUEST_BYTES)), undefined);
});
