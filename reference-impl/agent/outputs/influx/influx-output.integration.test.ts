import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { parse } from 'smol-toml';
import t, { type Test } from 'tap';
import { ConfigTable, type TomlTable } from '../../config/config-table.ts';
import { realClock } from '../../real-clock.ts';
import { batch, point, points, recordedLog, sampleRegistry, text } from '../testing/sample-points.ts';
import { InfluxOutput, retryAfterMillis } from './influx-output.ts';
import { influxPlugin } from './influx-plugin.ts';

type Answer =
  | { readonly status: number; readonly text?: string; readonly headers?: Record<string, string> }
  | 'break'
  | 'hang';
type Request = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string };

/** A server that answers as it is told, and else takes what comes. */
const stage = async (t: Test, toml: string, answers: Answer[] = []) => {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    requests.push({ url: request.url ?? '', headers: request.headers, body: body.toString() });
    const answer = answers.shift() ?? { status: 204 };
    if (answer === 'hang') return;
    if (answer === 'break') request.socket.resetAndDestroy();
    else response.writeHead(answer.status, answer.headers).end(answer.text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const quick =
    'retry_initial_delay = "1ms"\nretry_max_delay = "5ms"\nbatch_timeout = "1ms"\nend_timeout = "5s"';
  const table = new ConfigTable(
    'plugins.influx',
    parse(`host = "http://127.0.0.1:${port}"\n${quick}\n${toml}`) as TomlTable,
  );
  const config = influxPlugin.read(table);
  table.done();
  const { log, lines } = recordedLog();
  const output = new InfluxOutput(config, sampleRegistry(), log, realClock());
  await output.open();
  t.teardown(() => output.close());
  return { output, requests, lines };
};

const origin = { client: 'a', spool: 's', batch: 1 };
const linesOf = (requests: readonly Request[]): readonly string[] =>
  requests.flatMap(({ body }) => body.trimEnd().split('\n'));

t.test('points that differ in an attribute only are not one to InfluxDB', async (t) => {
  const { output, requests } = await stage(t, '');
  const states = ['user', 'system', 'idle'].map((state) => point({ attributes: [text('cpu_state', state)] }));
  await output.write(batch(states, origin));
  // what InfluxDB takes for the same point: measurement, tags and time
  const keys = linesOf(requests).map((line) => line.replace(/ .* /, ' '));
  t.equal(new Set(keys).size, 3, keys.join('\n'));
});

t.test('points are posted to where each version of InfluxDB takes them', async (t) => {
  const v2 = await stage(t, 'org = "o/1"\nbucket = "b"\ntoken = "secret"');
  await v2.output.write(batch(points(1_000), origin));
  t.match(v2.requests, [
    { url: '/api/v2/write?org=o%2F1&bucket=b&precision=ns', headers: { authorization: 'Token secret' } },
  ]);
  t.equal(new Set(linesOf(v2.requests)).size, 1_000);
  const v1 = await stage(
    t,
    'database = "d"\nretention_policy = "r"\nuser = "u"\npassword = "p"\ngzip = true\nuint_suffix = false',
  );
  await v1.output.write(batch(points(3), origin));
  t.match(v1.requests, [
    {
      url: '/write?db=d&rp=r&precision=ns',
      headers: { authorization: 'Basic dTpw', 'content-encoding': 'gzip' },
      body: /^cpu_time,cpu_state=user,.* value=0i 1700000000000000000\n/,
    },
  ]);
});

t.test('a server that breaks, fails or asks for time gets everything in the end', async (t) => {
  const { output, requests, lines } = await stage(t, '', [
    'break',
    { status: 500, text: 'oh' },
    { status: 429, headers: { 'retry-after': '0' } },
    { status: 503 },
    { status: 401, text: 'who?' },
    { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
  ]);
  await output.write(batch(points(10), origin));
  t.equal(requests.length, 7);
  t.equal(new Set(requests.map(({ body }) => body)).size, 1);
  t.match(output.state, { storedPoints: 10, refusedPoints: 0, retries: 6 });
  t.ok(lines.some(({ text }) => /HTTP 401 who\?/.test(text)));
});

t.test('what is refused is dropped and told, and the next goes through', async (t) => {
  const { output, requests, lines } = await stage(t, '', [
    { status: 400, text: '{"message":"partial write"}' },
  ]);
  await output.write(batch(points(10), origin));
  await output.write(batch(points(5), origin));
  t.equal(requests.length, 2);
  t.match(output.state, { storedPoints: 5, refusedPoints: 10 });
  t.match(lines, [{ level: 'error', text: /partial write/ }]);
});

t.test(
  'a request that is refused as a whole is sent batch by batch, and only the wrong one is lost',
  async (t) => {
    const { output, requests, lines } = await stage(t, '', [
      'break',
      { status: 413 },
      { status: 204 },
      { status: 422, text: 'field type conflict' },
    ]);
    await Promise.all(
      [0, 10, 20].map((first) => output.write(batch(points(10, first), { ...origin, batch: first + 1 }))),
    );
    t.match(
      requests.slice(1).map(({ body }) => body.split('\n').length - 1),
      [30, 10, 10, 10],
    );
    t.equal(output.state.refusedPoints, 10);
    t.ok(lines.some(({ level, text }) => level === 'error' && /field type conflict/.test(text)));
  },
);

t.test('a server that never answers is given up, and does not hold up the end', async (t) => {
  const { output, requests, lines } = await stage(t, 'request_timeout = "200ms"', ['hang']);
  await output.write(batch(points(10), origin));
  // a busy machine may take a later answer for none
  t.ok(requests.length >= 2);
  t.ok(lines.some(({ text }) => /abort|timeout/i.test(text)));
  const stuck = await stage(t, '', ['hang']);
  const written = t.rejects(stuck.output.write(batch(points(10), origin)), { code: 'OUTPUT_CLOSED' });
  while (stuck.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await stuck.output.close();
  await written;
});

t.test('a wait is read as seconds or as a date', async (t) => {
  const now = Date.parse('2023-11-14T22:13:20Z');
  t.equal(retryAfterMillis('7', now), 7_000);
  t.equal(retryAfterMillis('Tue, 14 Nov 2023 22:13:30 GMT', now), 10_000);
  t.equal(retryAfterMillis('Tue, 14 Nov 2023 22:13:10 GMT', now), 0);
  t.equal(retryAfterMillis('999999', now), 300_000);
  t.equal(retryAfterMillis('soon', now), undefined);
  t.equal(retryAfterMillis(null, now), undefined);
});

t.test('a configuration that mixes the versions or hides a password in the address is refused', async (t) => {
  const read = (toml: string) => () =>
    influxPlugin.read(new ConfigTable('plugins.influx', parse(toml) as TomlTable));
  t.throws(read('database = "d"\nbucket = "b"'), /plugins.influx.bucket/);
  t.throws(read('bucket = "b"\nuser = "u"'), /plugins.influx.user/);
  t.throws(read('host = "http://u:p@h"'), /plugins.influx.host/);
  t.throws(read('host = "h:8086"'), /plugins.influx.host/);
  t.doesNotThrow(read(influxPlugin.defaults));
});
