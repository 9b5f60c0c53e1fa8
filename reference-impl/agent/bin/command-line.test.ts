import t from 'tap';
import { readCommandLine, type Wanted } from './command-line.ts';

const read = (
  args: readonly string[],
  environment = {},
): { readonly wanted: Wanted; readonly stderr: string } => {
  let stderr = '';
  const wanted = readCommandLine(args, {
    environment,
    stderr: (text) => {
      stderr += text;
    },
  });
  return { wanted, stderr };
};

const UNDERSTOOD: readonly (readonly [args: readonly string[], wanted: object])[] = [
  [[], { type: 'run', file: 'alumet-config.toml', fileMustExist: false, metrics: undefined }],
  [
    ['run', '--config', 'x.toml', '--no-default-config'],
    { type: 'run', file: 'x.toml', fileMustExist: true },
  ],
  [
    ['--relay-in', '[::]:1', '--relay-out', 'h:2', '--output-file', 'o', '--plugins', 'a, b'],
    { request: { relayIn: '[::]:1', relayOut: 'h:2', outputFile: 'o', plugins: ['a', 'b'] } },
  ],
  [['--config-override', 'a=1', '--config-override', 'b=2'], { request: { overrides: ['a=1', 'b=2'] } }],
  [['--metrics', '9100'], { metrics: { host: '127.0.0.1', port: 9100 } }],
  [['--metrics', '[::1]:9100'], { metrics: { host: '::1', port: 9100 } }],
  [['--log-format', 'pretty', '--log-level', 'debug'], { log: { format: 'pretty', level: 'debug' } }],
  [
    ['exec', '--', 'ls', '-l', '--', 'x'],
    { type: 'exec', command: ['ls', '-l', '--', 'x'], ignoreExitCode: false },
  ],
  [
    ['--plugins', 'a', 'exec', '--ignore-exit-code', '--', 'ls'],
    { type: 'exec', ignoreExitCode: true, request: { plugins: ['a'] } },
  ],
  [
    ['exec', 'make', '--config', 'x.mk', '-j2'],
    { type: 'exec', command: ['make', '--config', 'x.mk', '-j2'], file: 'alumet-config.toml' },
  ],
  [
    ['--config', 'exec', 'exec', '--ignore-exit-code', '--plugins', 'a', 'ls', '--', '--plugins=b'],
    { type: 'exec', command: ['ls', '--', '--plugins=b'], ignoreExitCode: true, file: 'exec' },
  ],
  [['exec', '--config=x.toml', 'exec', 'run'], { type: 'exec', command: ['exec', 'run'], file: 'x.toml' }],
  [['ctl', 'exec', '--socket', 's'], { type: 'ctl', lines: ['exec'], socket: 's' }],
  [['watch', '42'], { type: 'watch', pid: 42 }],
  [
    ['ctl', 'control source pause', 'shutdown'],
    { type: 'ctl', lines: ['control source pause', 'shutdown'], socket: undefined },
  ],
  [['ctl', '--socket', 's', 'stop'], { type: 'ctl', socket: 's' }],
  [['config', 'regen', '--config', 'x.toml'], { type: 'regen', file: 'x.toml' }],
  [['plugins', 'list', '--status'], { type: 'plugins', status: true }],
];

t.test('options may stand before and behind the command', async (t) => {
  for (const [args, wanted] of UNDERSTOOD) t.match(read(args), { wanted, stderr: '' }, args.join(' '));
});

t.test('the environment names the configuration, an option wins over it', async (t) => {
  t.match(read([], { ALUMET_CONFIG: 'e.toml' }).wanted, { file: 'e.toml' });
  t.match(read(['--config', 'x.toml'], { ALUMET_CONFIG: 'e.toml' }).wanted, { file: 'x.toml' });
  t.match(read([], { ALUMET_CONFIG: '' }).wanted, { file: 'alumet-config.toml' });
});

t.test('what is not understood is told in one line, with code 2', async (t) => {
  for (const [args, message] of [
    [['--nonsense'], /unknown option '--nonsense'/],
    [['--confg', 'x'], /Did you mean --config/],
    [['nonsense'], /unknown command 'nonsense'; there is run, exec, watch, ctl, config, plugins/],
    [['ctrl', 'shutdown'], /unknown command 'ctrl'; did you mean 'ctl'\?/],
    [['run', 'more'], /too many arguments for 'run'/],
    [['config', 'regn'], /unknown command 'regn'.*regen/],
    [['exec'], /missing required argument 'command'/],
    [['watch', '0'], /whole number from 1/],
    [['--metrics', 'host'], /whole number from 0 to 65535/],
    [['--log-level', 'loud'], /Allowed choices are/],
  ] as const) {
    const { wanted, stderr } = read(args);
    t.same(wanted, { type: 'done', code: 2 }, args.join(' '));
    t.match(stderr, message);
    t.equal(stderr.split('\n').length, 2, stderr);
  }
});
