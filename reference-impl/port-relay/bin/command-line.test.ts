import t from 'tap';
import { DEFAULT_LIMITS } from '../relay/limits.ts';
import { readCommandLine, type Wanted } from './command-line.ts';
import { flagOf, LIMIT_OPTIONS } from './limit-options.ts';

const read = (...args: readonly string[]): { wanted: Wanted; stderr: string } => {
  let stderr = '';
  const wanted = readCommandLine(args, (text) => {
    stderr += text;
  });
  return { wanted, stderr };
};

t.test('a relay needs its port only; everything else has the documented default', (t) => {
  const { wanted, stderr } = read('9000');
  t.match(wanted, { type: 'relay', port: 9000, limits: DEFAULT_LIMITS });
  t.match(wanted, { bind: undefined, publicPorts: undefined, metrics: undefined });
  t.equal(stderr, '');
  t.end();
});

t.test('a forwarder is asked for exactly as documented', (t) => {
  const { wanted } = read('--localForwardPort=6379', 'relay.example', '9000');
  t.match(wanted, { type: 'forwarder', localPort: 6379, relay: { host: 'relay.example', port: 9000 } });
  t.match(wanted, { idleMillis: 0 }, 'a tunnel may be silent for ever unless --idle-millis says otherwise');
  t.end();
});

t.test('every limit has an option', (t) => {
  for (const key of Object.keys(LIMIT_OPTIONS) as (keyof typeof LIMIT_OPTIONS)[]) {
    const { wanted } = read('9000', flagOf(key), '77');
    t.equal(wanted.type === 'relay' ? wanted.limits[key] : undefined, 77, flagOf(key));
  }
  t.strictSame(Object.keys(LIMIT_OPTIONS).sort(), Object.keys(DEFAULT_LIMITS).sort());
  t.end();
});

for (const [text, host, port] of [
  ['9100', '127.0.0.1', 9100],
  [':9100', '127.0.0.1', 9100],
  ['0.0.0.0:9100', '0.0.0.0', 9100],
  ['[::1]:9100', '::1', 9100],
] as const) {
  t.test(`metrics at ${text}`, (t) => {
    t.match(read('9000', '--metrics', text).wanted, { metrics: { host, port } });
    t.end();
  });
}

t.test('public ports are a range or one', (t) => {
  t.match(read('9000', '--public-ports', '9001-9100').wanted, { publicPorts: { from: 9001, to: 9100 } });
  t.match(read('9000', '--public-ports', '9001').wanted, { publicPorts: { from: 9001, to: 9001 } });
  t.end();
});

const WRONG: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /missing argument 'localport'/],
  [['65536'], /localport '65536' is not a port/],
  [['9000', '--bindd', 'x'], /unknown option '--bindd' \(Did you mean --bind\?\)/],
  [['9000', '--grace-millis', 'soon'], /--grace-millis.*whole number/],
  [['9000', '--public-ports', '9-8'], /FROM-TO/],
  [['9000', '9001'], /takes one port/],
  [['--localForwardPort=80', 'localhost'], /needs <host> and <port>/],
  [['--localForwardPort=0', 'localhost', '9000'], /--localForwardPort/],
  [['--localForwardPort=80', 'localhost', 'x'], /relay port 'x' is not a port/],
];
for (const [args, says] of WRONG) {
  t.test(`usage error: ${args.join(' ')}`, (t) => {
    const { wanted, stderr } = read(...args);
    t.strictSame(wanted, { type: 'done', code: 2 });
    t.match(stderr, says);
    t.match(stderr, /^relay: [^\n]*\n$/, 'one line');
    t.end();
  });
}
