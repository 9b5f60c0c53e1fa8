import { createServer } from 'node:net';
import t from 'tap';
import { type Answer, ServedApi } from '../../testing/served-api.ts';
import { BODY_BYTES_MAX } from './server.ts';

const NIX = { hint: String };
const LINK = { name: 'a', listen: '127.0.0.1:0', upstream: '127.0.0.1:9' };

/** A server with the proxy `a` and its latency toxic. */
const started = async (): Promise<ServedApi> => {
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  await api.ask('POST', '/proxies', { ...LINK, enabled: false });
  await api.ask('POST', '/proxies/a/toxics', { type: 'latency', attributes: { latency: 100 } });
  return api;
};

type Row = readonly [method: string, path: string, body: unknown, status: number, error: string];
const BAD: readonly Row[] = [
  ['GET', '/proxies/b', undefined, 404, 'proxy not found'],
  ['POST', '/proxies/b', '{', 404, 'proxy not found'],
  ['PATCH', '/proxies/b', {}, 404, 'proxy not found'],
  ['DELETE', '/proxies/b', undefined, 404, 'proxy not found'],
  ['GET', '/proxies/b/toxics', undefined, 404, 'proxy not found'],
  ['GET', '/proxies/b/receipts', undefined, 404, 'proxy not found'],
  ['POST', '/proxies/b/toxics', '{', 404, 'proxy not found'],
  ['GET', '/proxies/b/toxics/x', undefined, 404, 'proxy not found'],
  ['GET', '/proxies/a/toxics/x', undefined, 404, 'toxic not found'],
  ['POST', '/proxies/a/toxics/x', '{', 404, 'toxic not found'],
  ['PATCH', '/proxies/a/toxics/x', {}, 404, 'toxic not found'],
  ['DELETE', '/proxies/a/toxics/x', undefined, 404, 'toxic not found'],
  ['POST', '/proxies', LINK, 409, 'proxy already exists'],
  ['POST', '/proxies', { listen: '', upstream: '' }, 400, 'missing required field: name'],
  ['POST', '/proxies', { name: 'c', listen: '' }, 400, 'missing required field: upstream'],
  ['POST', '/proxies', '', 400, 'bad request body: EOF'],
  ['POST', '/proxies', '{', 400, 'bad request body: '],
  ['POST', '/proxies', '[]', 400, 'bad request body: cannot read array as a proxy'],
  ['POST', '/proxies', { ...LINK, name: 7 }, 400, 'bad request body: cannot read number as name, a string'],
  [
    'POST',
    '/proxies',
    { ...LINK, name: 'c', enabled: 'yes' },
    400,
    'bad request body: cannot read string as enabled',
  ],
  ['POST', '/proxies', { ...LINK, name: 'c/d' }, 400, 'bad request body: name'],
  ['POST', '/proxies', { ...LINK, name: 'c', upstream: 'nowhere' }, 400, 'bad request body: upstream: '],
  ['POST', '/proxies', { ...LINK, name: 'c', seed: 'xyz' }, 400, 'bad request body: seed: '],
  ['POST', '/proxies', { ...LINK, name: 'c', toxics: {} }, 400, 'bad request body: toxics: '],
  ['POST', '/proxies', { ...LINK, name: 'c', toxics: [{ type: 'x' }] }, 400, 'invalid toxic type'],
  [
    'POST',
    '/proxies',
    { ...LINK, name: 'c', listen: 'local373' },
    500,
    'listen tcp: address local373: missing port',
  ],
  [
    'POST',
    '/proxies',
    { ...LINK, name: 'c', listen: 'a..b:1' },
    500,
    'listen tcp: lookup a..b: no such host',
  ],
  ['POST', '/proxies/a', '{', 400, 'bad request body: '],
  ['POST', '/proxies/a', { listen: 'local373' }, 500, 'address local373: missing port in address'],
  [
    'POST',
    '/proxies',
    { ...LINK, name: 'c', listen: ':99999' },
    500,
    'listen tcp: address 99999: invalid port',
  ],
  [
    'POST',
    '/proxies',
    { ...LINK, name: 'c', listen: '192.0.2.1:9' },
    500,
    'listen tcp 192.0.2.1:9: bind: cannot assign',
  ],
  ['POST', '/proxies/a/toxics', { type: 'noop', stream: '' }, 400, 'stream was invalid'],
  ['PATCH', '/proxies/a', { enabled: 1 }, 400, 'bad request body: cannot read number as enabled, a boolean'],
  ['POST', '/populate', '{}', 400, 'bad request body: expected a list'],
  [
    'POST',
    '/populate',
    [{ ...LINK, name: 'd', enabled: false }, {}],
    400,
    'missing required field: name at proxy 2',
  ],
  ['POST', '/populate', [{ name: 'd' }], 400, 'missing required field: upstream at proxy 1'],
  ['POST', '/proxies/a/toxics', '{', 400, 'bad request body: '],
  ['POST', '/proxies/a/toxics', { type: 'latncy' }, 400, 'invalid toxic type'],
  ['POST', '/proxies/a/toxics', {}, 400, 'invalid toxic type'],
  [
    'POST',
    '/proxies/a/toxics',
    { type: 'latency', stream: 'walrustream' },
    400,
    'stream was invalid, can be either upstream or downstream',
  ],
  ['POST', '/proxies/a/toxics', { type: 'latency' }, 409, 'toxic already exists'],
  [
    'POST',
    '/proxies/a/toxics',
    { type: 'noop', name: 'latency_downstream', stream: 'upstream' },
    409,
    'toxic already',
  ],
  [
    'POST',
    '/proxies/a/toxics',
    { type: 'noop', toxicity: 'all' },
    400,
    'bad request body: cannot read string as tox',
  ],
  ['PATCH', '/proxies/a/toxics/latency_downstream', '{', 400, 'bad request body: '],
  [
    'PATCH',
    '/proxies/a/toxics/latency_downstream',
    { attributes: { latency: '1' } },
    400,
    'bad request body: cannot read "1" as latency.latency, a whole number from 0 (ms)',
  ],
];

t.test('what cannot be done is answered in the words of Toxiproxy', async (t) => {
  const api = await started();
  const before = (await api.ask('GET', '/dump')).text;
  for (const [method, path, body, status, error] of BAD) {
    const answer = await api.ask(method, path, body);
    const name = `${method} ${path} ${JSON.stringify(body) ?? ''}`;
    t.equal(answer.status, status, name);
    t.ok(answer.json.error.startsWith(error), `${name}: ${answer.json.error}`);
    t.equal(answer.json.status ?? status, status, name);
  }
  t.equal((await api.ask('GET', '/dump')).text, before, 'and changes nothing');
});

t.test('names that are nearly right are told in a hint beside the error', async (t) => {
  const api = await started();
  const hint = async (method: string, path: string, body?: unknown): Promise<string> =>
    (await api.ask(method, path, body)).json.hint;
  t.equal(await hint('GET', '/proxies/A'), "did you mean 'a'?");
  t.equal(await hint('GET', '/proxies/a/toxics/latency'), "did you mean 'latency_downstream'?");
  t.equal(await hint('POST', '/proxies/a/toxics', { type: 'slow_clos' }), "did you mean 'slow_close'?");
  t.equal(
    await hint('POST', '/proxies/a/toxics', { type: 'noop', stream: 'up' }),
    "did you mean 'upstream'?",
  );
});

t.test('a proxy is made, shown, changed and deleted', async (t) => {
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  const made = await api.ask('POST', '/proxies', {
    Name: 'a',
    listen: 'localhost:0',
    upstream: 'localhost:9',
  });
  t.equal(made.status, 201);
  const listen: string = made.json.listen;
  t.match(listen, /^127\.0\.0\.1:\d{4,5}$/);
  const shown = { name: 'a', listen, upstream: 'localhost:9', enabled: true, toxics: [] };
  t.match(made.json, shown);
  t.match((await api.ask('GET', '/proxies/a')).json, shown);
  t.match((await api.ask('GET', '/proxies')).json, { a: shown });
  const same = await api.ask('POST', '/proxies/a', {
    enabled: true,
    listen: listen.replace('127.0.0.1', 'localhost'),
  });
  t.match([same.status, same.json], [200, shown]);
  const off = await api.ask('PATCH', '/proxies/a', { enabled: false });
  t.match([off.status, off.json], [200, { ...shown, enabled: false }]);
  t.match((await api.ask('POST', '/proxies/a', { upstream: '127.0.0.1:10' })).json, {
    enabled: false,
    upstream: '127.0.0.1:10',
  });
  t.match((await api.ask('POST', '/proxies/a', { enabled: true })).json, { listen, enabled: true });
  const gone = await api.ask('DELETE', '/proxies/a');
  t.match([gone.status, gone.text], [204, '']);
  t.same((await api.ask('GET', '/proxies')).json, {});
});

t.test('a toxic is made with defaults, shown, changed in part and deleted', async (t) => {
  const api = await started();
  const at = '/proxies/a/toxics';
  const latency = {
    name: 'latency_downstream',
    type: 'latency',
    stream: 'downstream',
    toxicity: 1,
    attributes: { latency: 100, jitter: 0 },
  };
  t.same((await api.ask('GET', at)).json, [latency]);
  const up = await api.ask('POST', at, {
    type: 'slicer',
    stream: 'UPSTREAM',
    toxicity: 0.2,
    attributes: { average_size: 9 },
  });
  const slicer = {
    name: 'slicer_UPSTREAM',
    type: 'slicer',
    stream: 'UPSTREAM',
    toxicity: 0.2,
    attributes: { average_size: 9, size_variation: 0, delay: 0 },
  };
  t.match([up.status, up.json], [200, slicer]);
  t.same((await api.ask('GET', '/proxies/a')).json.toxics, [slicer, latency], 'upstream first');
  t.same((await api.ask('GET', `${at}/slicer_UPSTREAM`)).json, slicer);
  for (const [method, body, expected] of [
    ['PATCH', { attributes: { jitter: 5 } }, { toxicity: 1, attributes: { latency: 100, jitter: 5 } }],
    [
      'POST',
      { toxicity: 0.5, type: 'down', name: 'x', stream: 'upstream' },
      { ...latency, toxicity: 0.5, attributes: { jitter: 5 } },
    ],
    ['POST', { attributes: { latency: null } }, { attributes: { latency: 100 } }],
    ['PATCH', { attributes: null, toxicity: null }, { toxicity: 0.5 }],
    ['PATCH', { attributes: { 'selector.first': 2 } }, { attributes: { selector: { first: 2 } } }],
  ] as const) {
    const answer = await api.ask(method, `${at}/latency_downstream`, body);
    t.equal(answer.status, 200);
    t.match(answer.json, expected, JSON.stringify(body));
  }
  await api.ask('PATCH', `${at}/latency_downstream`, { attributes: { selector: null } });
  t.equal(
    (await api.ask('GET', `${at}/latency_downstream`)).json.attributes.selector,
    undefined,
    'null takes it off',
  );
  t.equal((await api.ask('DELETE', `${at}/latency_downstream`)).status, 204);
  t.equal((await api.ask('GET', `${at}/latency_downstream`)).status, 404);
});

t.test('a list of proxies may be sent again and again', async (t) => {
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  const first = await api.ask('POST', '/populate', [
    { name: 'one', upstream: '127.0.0.1:9' },
    { name: 'two', listen: '127.0.0.1:0', upstream: '127.0.0.1:9', enabled: false },
  ]);
  t.equal(first.status, 201);
  t.equal(first.json.error, undefined);
  const [one, two] = first.json.proxies;
  t.match(
    [one, two],
    [
      { name: 'one', enabled: true },
      { name: 'two', enabled: false, listen: '127.0.0.1:0' },
    ],
  );
  await api.ask('POST', '/proxies/one/toxics', { type: 'latency' });
  const again = await api.ask('POST', '/populate', [
    {
      name: 'one',
      listen: one.listen.replace('127.0.0.1', 'localhost'),
      upstream: '127.0.0.1:9',
      enabled: false,
    },
    { name: 'two', listen: '127.0.0.1:0', upstream: '127.0.0.1:10' },
  ]);
  t.match(again.json.proxies, [
    { name: 'one', enabled: true, listen: one.listen, toxics: [{ type: 'latency' }] },
    { name: 'two', enabled: true, upstream: '127.0.0.1:10' },
  ]);
  t.same((await api.ask('POST', '/populate', [])).json, { proxies: [] });
});

t.test('a list that fails half-way keeps what came before', async (t) => {
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const rest = { upstream: '127.0.0.1:9' };
  const answer = await api.ask('POST', '/populate', [
    { name: 'one', ...rest },
    { name: 'two', listen: `127.0.0.1:${port}`, ...rest },
    { name: 'three', ...rest },
  ]);
  t.equal(answer.status, 500);
  t.match(answer.json, {
    error: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    status: 500,
    proxies: [{ name: 'one' }],
  });
  t.same(Object.keys((await api.ask('GET', '/proxies')).json), ['one']);
});

t.test('reset enables every proxy and takes its toxics off', async (t) => {
  const api = await started();
  const answer = await api.ask('POST', '/reset');
  t.match([answer.status, answer.text], [204, '']);
  t.match((await api.ask('GET', '/proxies/a')).json, { enabled: true, toxics: [] });
});

t.test(
  'everything else is told as well: version, metrics, unknown paths and methods, browsers, large bodies',
  async (t) => {
    const api = await started();
    const is = (answer: Answer, status: number, text: string | RegExp): void => {
      t.equal(answer.status, status);
      t.match(answer.text, text);
    };
    const version = await api.ask('GET', '/version');
    is(version, 200, /^\{"version": "2\.12\.0\+chaos-proxy\.0\.0\.0"\}\n$/);
    t.equal(version.headers.get('content-type'), 'application/json;charset=utf-8');
    t.match(version.headers.get('x-toxiproxy-request-id'), /^\w{20}$/);
    const metrics = await api.ask('GET', '/metrics');
    for (const what of ['received', 'sent'])
      t.match(
        metrics.text,
        new RegExp(
          `^toxiproxy_proxy_${what}_bytes_total\\{direction="upstream",listener="127.0.0.1:0",proxy="a",upstream="127.0.0.1:9"\\} 0$`,
          'm',
        ),
      );
    is(await api.ask('GET', '/nix'), 404, '404 page not found\n');
    is(await api.ask('GET', '/proxies/'), 404, '404 page not found\n');
    is(await api.ask('PUT', '/proxies'), 405, '');
    is(await api.ask('GET', '/reset'), 405, '');
    is(
      await api.ask('GET', '/proxies', undefined, { 'user-agent': 'Mozilla/5.0 (X11)' }),
      403,
      'User agent not allowed\n',
    );
    is(await api.ask('GET', '/proxies', undefined, { 'user-agent': 'Wget/2.1' }), 200, /"a"/);
    is(await api.ask('GET', '/proxies/%'), 400, /percent-encoded/);
    is(await api.ask('POST', '/proxies', ' '.repeat(BODY_BYTES_MAX + 1)), 413, /larger than/);
    t.match((await api.ask('GET', '/proxies/%61')).json, { name: 'a' });
    t.match((await api.ask('GET', '/proxies/x')).json, NIX);
  },
);

t.test('there is an end to proxies and toxics', async (t) => {
  const api = await ServedApi.start();
  t.teardown(() => api.close());
  const off = { listen: '127.0.0.1:1', upstream: '127.0.0.1:9', enabled: false };
  const many = Array.from({ length: 1024 }, (_, i) => ({ name: `p${i}`, ...off }));
  t.equal((await api.ask('POST', '/populate', many)).status, 201);
  const { status, json } = await api.ask('POST', '/proxies', { name: 'more', ...off });
  t.match([status, json.error], [400, 'too many proxies: at most 1024']);
  const toxics = Array.from({ length: 257 }, (_, i) => ({ name: `t${i}`, type: 'noop' }));
  t.match(
    (await api.ask('POST', '/populate', [{ ...off, name: 'p0', upstream: '127.0.0.1:8', toxics }])).json,
    {
      error: 'too many toxics: at most 256',
      proxies: [],
    },
  );
});
