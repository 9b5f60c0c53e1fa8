import t from 'tap';
import { ServedApi, type ServedLink } from '../../testing/served-api.ts';
import { dial, type End, within } from '../../testing/tcp-pair.ts';

const api = await ServedApi.start();
t.teardown(() => api.close());

let links = 0;
/** A proxy of its own for each test. */
const linked = (...toxics: readonly object[]): Promise<ServedLink> => api.link(toxics, `link${++links}`);
const closed = (end: End): Promise<void> => within(end.closed, 'close');
const got = (end: End, bytes: number): Promise<void> => within(end.has(bytes), `${bytes} bytes`);
const numbers = async ({ name }: ServedLink, toxic: string): Promise<Record<string, number>> => {
  const { receipts } = (await api.ask('GET', `/proxies/${name}/receipts`)).json;
  return receipts.find((receipt: { name: string }) => receipt.name === toxic).numbers;
};
const toxicPath = ({ name }: ServedLink, toxic = ''): string =>
  `/proxies/${name}/toxics${toxic && `/${toxic}`}`;

t.test('without a toxic half-close passes as half-close, in both directions', async (t) => {
  const link = await linked();
  t.teardown(() => link.service.close());
  const one = await link.pair();
  one.user.socket.end('question');
  await within(one.service.ended, 'FIN at the service');
  t.equal(one.service.bytes.toString(), 'question');
  one.service.socket.end('answer');
  await closed(one.user);
  t.equal(one.user.bytes.toString(), 'answer');
  t.same(one.user.log, ['data', 'fin', 'close']);
  const two = await link.pair();
  two.service.socket.end();
  await within(two.user.ended, 'FIN at the user');
  two.user.socket.end('late');
  await closed(two.service);
  t.equal(two.service.bytes.toString(), 'late');
  const { text } = await api.ask('GET', '/metrics');
  t.match(text, new RegExp(`sent_bytes_total.*"upstream".*proxy="${link.name}".* 12$`, 'm'));
});

t.test('latency holds data back, and lets it go when it is taken off', async (t) => {
  const link = await linked({ type: 'latency', attributes: { latency: 3_600_000 } });
  t.teardown(() => link.service.close());
  const { user, service } = await link.pair();
  service.socket.write('held');
  user.socket.write('free');
  await got(service, 4);
  t.equal(user.received, 0);
  // A second connection overtakes the first: what the user sees of it was sent later.
  await api.ask('DELETE', toxicPath(link, 'latency_downstream'));
  await got(user, 4);
  t.match(await numbers(link, 'latency_downstream'), { delayed: 4 });
});

t.test('bandwidth of nothing stops a stream until it is changed', async (t) => {
  const link = await linked({ type: 'bandwidth', stream: 'upstream', attributes: { rate: 0 } });
  t.teardown(() => link.service.close());
  const { user, service } = await link.pair();
  user.socket.write('x'.repeat(5000));
  service.socket.write('back');
  await got(user, 4);
  t.equal(service.received, 0);
  const { json } = await api.ask('PATCH', toxicPath(link, 'bandwidth_upstream'), {
    attributes: { rate: 100 },
  });
  t.same(json.attributes, { rate: 100 });
  await got(service, 5000);
  user.socket.write('y'.repeat(5000));
  await got(service, 10_000);
  t.match(await numbers(link, 'bandwidth_upstream'), { stalled: 5000, shaped: 5000 });
});

t.test('timeout swallows data and closes both ends; removing it closes as well', async (t) => {
  const link = await linked({ type: 'timeout', attributes: { timeout: 50 } });
  t.teardown(() => link.service.close());
  const one = await link.pair();
  one.service.socket.write('lost');
  await Promise.all([within(one.user.ended, 'FIN'), within(one.service.ended, 'FIN')]);
  t.same(one.user.log, ['fin']);
  await api.ask('PATCH', toxicPath(link, 'timeout_downstream'), { attributes: { timeout: 0 } });
  const two = await link.pair();
  two.service.socket.write('lost');
  two.user.socket.write('passes');
  await got(two.service, 6);
  await api.ask('DELETE', toxicPath(link, 'timeout_downstream'));
  await within(two.user.ended, 'FIN');
  t.equal(two.user.received, 0);
  const three = await link.pair();
  three.service.socket.end('whole');
  await within(three.user.ended, 'FIN');
  t.equal(three.user.bytes.toString(), 'whole');
});

t.test('reset_peer resets living connections and new ones', async (t) => {
  const link = await linked();
  t.teardown(() => link.service.close());
  const { user, service } = await link.pair();
  user.socket.write('alive');
  await got(service, 5);
  await api.ask('POST', toxicPath(link), { type: 'reset_peer' });
  await Promise.all([closed(user), closed(service)]);
  t.same(
    [user.log, service.log],
    [
      ['rst', 'close'],
      ['data', 'rst', 'close'],
    ],
  );
  const fresh = dial(link.port);
  await closed(fresh);
  t.same(fresh.log, ['rst', 'close']);
  t.match(await numbers(link, 'reset_peer_downstream'), { reset: 2 });
});

t.test('limit_data passes exactly so many bytes and closes', async (t) => {
  const link = await linked({ type: 'limit_data', attributes: { bytes: 70_000 } });
  t.teardown(() => link.service.close());
  const { user, service } = await link.pair();
  service.socket.write(Buffer.alloc(200_000, 7));
  await within(user.ended, 'FIN');
  t.equal(user.received, 70_000);
  service.socket.write('to nobody');
  await closed(service);
  t.equal(service.log.at(-2), 'rst', 'whoever goes on talking is reset');
  t.match(await numbers(link, 'limit_data_downstream'), { cut: 1, closed: 1 });
});

t.test('slicer, slow_close and packet_loss leave every byte where it was', async (t) => {
  const link = await linked(
    { type: 'slicer', attributes: { average_size: 100, size_variation: 20 } },
    { type: 'slow_close', attributes: { delay: 30 } },
    { type: 'packet_loss', attributes: { loss_rate: 0.5, rtoMs: 1 } },
  );
  t.teardown(() => link.service.close());
  const { user, service } = await link.pair();
  const sent = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251));
  service.socket.end(sent);
  await within(user.ended, 'FIN');
  t.ok(user.bytes.equals(sent));
  const [sliced, slow, lost] = await Promise.all(
    ['slicer', 'slow_close', 'packet_loss'].map((type) => numbers(link, `${type}_downstream`)),
  );
  t.ok((sliced?.sliced ?? 0) > 150, `${sliced?.sliced} cuts`);
  t.equal(slow?.finDelayed, 30);
  t.ok((lost?.retransmitted ?? 0) > 0, `${lost?.retransmitted} retransmissions`);
});

t.test('down resets what lives and refuses what comes; a disabled proxy does not even listen', async (t) => {
  const link = await linked();
  t.teardown(() => link.service.close());
  const one = await link.pair();
  await api.ask('POST', toxicPath(link), { type: 'down' });
  await closed(one.user);
  t.same(one.user.log, ['rst', 'close']);
  const refused = dial(link.port);
  await closed(refused);
  t.same(refused.log, ['rst', 'close']);
  await api.ask('DELETE', toxicPath(link, 'down_downstream'));

  const two = await link.pair();
  await api.ask('POST', `/proxies/${link.name}`, { enabled: false });
  await Promise.all([within(two.user.ended, 'FIN'), within(two.service.ended, 'FIN')]);
  const nobody = dial(link.port);
  await closed(nobody);
  t.same(nobody.log, ['ECONNREFUSED', 'close']);
  await api.ask('POST', `/proxies/${link.name}`, { enabled: true });
  const three = await link.pair();
  three.user.socket.write('again');
  await got(three.service, 5);
  t.match(await numbers(link, 'down_downstream'), { reset: 1, refused: 1 }, 'receipts outlive the halt');
});

t.test('faults of ours, selectors and schedules are toxics like others', async (t) => {
  const link = await linked({ type: 'refuse', attributes: { first: 2 } });
  t.teardown(() => link.service.close());
  for (const user of [dial(link.port), dial(link.port)]) {
    await closed(user);
    t.same(user.log, ['rst', 'close']);
  }
  await api.ask('POST', toxicPath(link), {
    type: 'cutAfter',
    stream: 'upstream',
    attributes: { marker: 'hex:0a', how: 'rst', 'selector.connections': 3 },
  });
  const third = await link.pair();
  third.user.socket.write('one line\nand more');
  await closed(third.service);
  t.equal(third.service.bytes.toString(), 'one line\n');
  const fourth = await link.pair();
  fourth.user.socket.write('two\nlines\n');
  await got(fourth.service, 10);
  t.match(await numbers(link, 'cutAfter_upstream'), { cut: 1, connections: 1 });
});

t.test('a dial that is slow for one connection delays no other', async (t) => {
  const link = await linked({ type: 'acceptDelay', attributes: { ms: 3_600_000, 'selector.first': 1 } });
  t.teardown(() => link.service.close());
  const first = dial(link.port);
  await within(new Promise((resolve) => first.socket.once('connect', resolve)), 'connect');
  first.socket.write('waits');
  const { user, service } = await link.pair();
  user.socket.write('goes');
  await got(service, 4);
  t.equal(service.bytes.toString(), 'goes');
  first.socket.resetAndDestroy();
});

t.test('toxicity draws connections by the seed', async (t) => {
  const drawn = async (): Promise<string> => {
    const fresh = await ServedApi.start(99);
    const link = await fresh.link([
      { type: 'limit_data', stream: 'upstream', toxicity: 0.5, attributes: { bytes: 1 } },
    ]);
    let row = '';
    for (let i = 0; i < 12; i++) {
      const { user, service } = await link.pair();
      user.socket.write('xy');
      user.socket.end();
      await within(service.ended, 'FIN');
      row += service.received;
    }
    link.service.close();
    await fresh.close();
    return row;
  };
  const row = await drawn();
  t.match(row, /^(?=.*1)(?=.*2)/, `some and some not: ${row}`);
  t.equal(await drawn(), row, 'and the same ones again');
});
