import t from 'tap';
import { Toxiproxy } from 'toxiproxy-node-client';
import { ServedApi } from '../../testing/served-api.ts';
import { dial, Service, within } from '../../testing/tcp-pair.ts';
import { addressText, parseAddress } from '../address.ts';

const api = await ServedApi.start();
t.teardown(() => api.close());
const service = await Service.start();
t.teardown(() => service.close());
const upstream = addressText({ host: '127.0.0.1', port: service.port });
const client = new Toxiproxy(api.url);

t.test('toxiproxy-node-client makes, changes and deletes proxies', async (t) => {
  t.match(await client.getVersion(), /"2\.12\.0\+chaos-proxy/);
  const made = await client.createProxy({ name: 'one', listen: '127.0.0.1:0', upstream });
  t.match(made.toJson(), { name: 'one', upstream, enabled: true });
  t.same((await client.get('one')).toJson(), made.toJson());
  await t.rejects(client.createProxy({ name: 'one', listen: '127.0.0.1:0', upstream }), /status code 409/);
  await t.rejects(client.get('nix'), /status code 404/);

  const { listen } = made;
  const off = await made.update({ enabled: false, listen, upstream });
  t.equal(off.enabled, false);
  const nobody = dial(parseAddress(listen).port);
  await within(nobody.closed, 'close');
  t.equal(nobody.log[0], 'ECONNREFUSED');
  t.match((await made.update({ enabled: true, listen, upstream })).toJson(), { enabled: true, listen });

  const populated = await client.populate([
    { name: 'one', listen, upstream },
    { name: 'two', listen: '127.0.0.1:0', upstream, enabled: false },
  ]);
  t.same(Object.keys(populated), ['one', 'two']);
  t.equal(populated.two?.enabled, false);
  await client.reset();
  const all = await client.getAll();
  t.same(
    Object.values(all).map(({ name, enabled }) => [name, enabled]),
    [
      ['one', true],
      ['two', true],
    ],
  );
  for (const proxy of Object.values(all)) await proxy.remove();
  t.same(await client.getAll(), {});
});

t.test('toxiproxy-node-client adds, changes and takes off every toxic it knows', async (t) => {
  const proxy = await client.createProxy({ name: 'toxic', listen: '127.0.0.1:0', upstream });
  t.teardown(() => proxy.remove());
  const rows = [
    ['latency', { latency: 100, jitter: 10 }],
    ['bandwidth', { rate: 30 }],
    ['slow_close', { delay: 5 }],
    ['timeout', { timeout: 5 }],
    ['slicer', { average_size: 9, size_variation: 2, delay: 3 }],
    ['limit_data', { bytes: 9 }],
    ['reset_peer', { timeout: 5 }],
    ['down', {}],
  ] as const;
  for (const [type, attributes] of rows) {
    const body = { name: `my-${type}`, type, stream: 'upstream', toxicity: 0.5, attributes } as const;
    const toxic = await proxy.addToxic(body);
    t.same(toxic.toJson(), body, type);
    t.same((await proxy.getToxic(body.name)).toJson(), body);
    await t.rejects(proxy.addToxic(body), /status code 409/);
    t.same((await toxic.update({ ...body, toxicity: 1 })).toJson(), { ...body, toxicity: 1 });
    await toxic.remove();
    await t.rejects(proxy.getToxic(body.name), /status code 404/);
  }
});

t.test('what toxiproxy-node-client asks for happens to the bytes', async (t) => {
  const proxy = await client.createProxy({ name: 'bytes', listen: '127.0.0.1:0', upstream });
  t.teardown(() => proxy.remove());
  const { port } = parseAddress(proxy.listen);
  const limit = await proxy.addToxic({
    name: 'limit',
    type: 'limit_data',
    stream: 'downstream',
    toxicity: 1,
    attributes: { bytes: 5 },
  });
  const one = await within(service.pair(port), 'connection');
  one.service.socket.write('hello world');
  await within(one.user.ended, 'FIN');
  t.equal(one.user.bytes.toString(), 'hello');
  await limit.remove();
  const two = await within(service.pair(port), 'connection');
  two.service.socket.end('hello world');
  await within(two.user.ended, 'FIN');
  t.equal(two.user.bytes.toString(), 'hello world');
});
