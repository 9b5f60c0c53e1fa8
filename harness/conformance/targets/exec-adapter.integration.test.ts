/** Adapters that misbehave, as programs: each request gets its own blame, and the next a fresh process. */
import t, { type Test } from 'tap';
import { Unclear } from '../outcome.ts';
import { ExecAdapter, RESTARTS_MAX } from './exec-adapter.ts';
import { TargetError } from './target.ts';

t.setTimeout(120_000);

const HELLO = `{ name: 'test', version: '1', lacks: ['u128'] }`;

/** A program that answers each request with what `body` makes of it. */
const program = (body: string): string =>
  `'${process.execPath}' -e '${`
    const answers = (r) => { if (r.op === "hello") return ${HELLO.replaceAll("'", '"')}; ${body} };
    let asked = 0;
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const r = JSON.parse(line);
      const a = answers(r);
      if (a !== undefined) console.log(typeof a === "string" ? a : JSON.stringify({ id: r.id, ...a }));
    });`.replaceAll('\n', ' ')}'`;

const started = async (t: Test, body: string, answerMillis = 20_000): Promise<ExecAdapter> => {
  const adapter = await ExecAdapter.start(program(body), answerMillis);
  t.teardown(() => adapter.close());
  return adapter;
};

t.test('an adapter says what it lacks and answers', async (t) => {
  const adapter = await started(t, 'return { echo: r.n };');
  t.equal(adapter.hello.name, 'test');
  t.same([...adapter.hello.lacks], ['u128']);
  t.match(await adapter.ask({ op: 'x', n: 1 }), { type: 'answer', fields: { echo: 1 } });
  t.match(await adapter.ask({ op: 'x', n: 2 }), { type: 'answer', fields: { echo: 2 } });
});

t.test('separators that some readers take for line ends arrive inside one request', async (t) => {
  const adapter = await started(t, 'return { echo: r.text };');
  const text = 'a\u2028b\u2029c\u0085d\r\ne';
  t.match(await adapter.ask({ op: 'x', text }), { type: 'answer', fields: { echo: text } });
});

const BREACHES: readonly (readonly [claim: string, body: string, says: RegExp])[] = [
  ['no JSON', 'return "hello";', /no JSON .*: hello/],
  ['no object', 'return "[1]";', /no JSON object/],
  ['another id', 'return { id: r.id + 1 };', /an answer to request \d+, asked was \d+/],
];
for (const [claim, body, says] of BREACHES)
  t.test(`${claim}: the request is to blame, and the next one is answered`, async (t) => {
    const adapter = await started(t, `if (r.bad) { ${body} } return { fine: true };`);
    const reply = await adapter.ask({ op: 'x', bad: true });
    t.match(reply, { type: 'breach', text: says });
    t.match(await adapter.ask({ op: 'x' }), { type: 'answer', fields: { fine: true } });
  });

t.test('an adapter that ends says how, with its last words', async (t) => {
  const adapter = await started(
    t,
    'if (r.bad) { console.error("out of luck"); process.exit(7); } return {};',
  );
  t.match(await adapter.ask({ op: 'x', bad: true }), {
    type: 'crash',
    text: /exit code 7; it said: out of luck/,
  });
  t.match(await adapter.ask({ op: 'x' }), { type: 'answer' });
});

t.test('an adapter that hangs is killed after its time', async (t) => {
  const adapter = await started(t, 'if (r.bad) for (;;); return {};', 1_000);
  t.match(await adapter.ask({ op: 'x', bad: true }), { type: 'hang', text: 'no answer within 1 s' });
});

t.test(
  'memory without bound ends the adapter, not the machine',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const adapter = await started(t, 'const all = []; for (;;) all.push(Buffer.allocUnsafeSlow(1 << 26));');
    t.match(await adapter.ask({ op: 'x' }), { type: 'crash' });
  },
);

t.test('one that is started again and again is given up', async (t) => {
  const adapter = await started(t, 'process.exit(1);');
  for (let i = 0; i <= RESTARTS_MAX; i++) t.match(await adapter.ask({ op: 'x' }), { type: 'crash' });
  await t.rejects(
    adapter.ask({ op: 'x' }),
    new Unclear(`given up: the adapter had to be started again ${RESTARTS_MAX} times`, 'target'),
  );
});

t.test('who does not say hello is told what was expected', async (t) => {
  const refused = async (command: string, says: RegExp): Promise<void> => {
    const error = await ExecAdapter.start(command).catch((thrown: unknown) => thrown);
    t.ok(error instanceof TargetError, command);
    t.match((error as Error).message, says);
    t.match((error as Error).message, /"op":"hello"/, 'and how it looks');
  };
  await refused('/no/such/adapter', /does not say hello: it ended with exit code 127/);
  await refused("sh -c 'read line; echo hi'", /no JSON: hi/);
  await refused(`sh -c 'read line; echo "{}"'`, /expected an object with id 1 and a name, got \{\}/);
});
