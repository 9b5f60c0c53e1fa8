/** A port that a case closes and opens again is anybody's in between. */
import t from 'tap';
import { Unclear } from '../outcome.ts';
import type { Patience } from './wire-end.ts';
import { WireListener } from './wire-listener.ts';
import { WireLog } from './wire-log.ts';

const PATIENCE: Patience = { millis: 1_000, blameMachine: () => undefined };
const open = (port = 0) => WireListener.open(new WireLog(), PATIENCE, 'c', port);

t.test('a port is opened again after it was closed', async (t) => {
  const first = await open();
  const { port } = first;
  await first.close();
  const second = await open(port);
  t.equal(second.port, port);
  await second.close();
});

t.test("a port that went to somebody else proves nothing, and is nobody's mistake", async (t) => {
  const somebody = await open();
  t.teardown(() => somebody.close());
  const error = await open(somebody.port).catch((thrown: unknown) => thrown);
  t.ok(error instanceof Unclear);
  t.match(error, {
    blame: 'environment',
    message: new RegExp(`port ${somebody.port}, .* taken by somebody`),
  });
});

t.test('what is no race stays an error of ours', async (t) => {
  await t.rejects(open(70_000), { code: 'ERR_SOCKET_BAD_PORT' });
});
