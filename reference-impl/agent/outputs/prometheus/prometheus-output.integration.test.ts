import { parse } from 'smol-toml';
import t, { type Test } from 'tap';
import { ConfigTable, type TomlTable } from '../../config/config-table.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { batch, f64, point, recordedLog, sampleRegistry, text, u64 } from '../testing/sample-points.ts';
import { PrometheusOutput } from './prometheus-output.ts';
import { prometheusPlugin } from './prometheus-plugin.ts';

const stage = async (t: Test, toml = '') => {
  const table = new ConfigTable('plugins.prometheus', parse(`port = 0\n${toml}`) as TomlTable);
  const config = prometheusPlugin.read(table);
  table.done();
  const { log, lines } = recordedLog();
  const clock = new ManualClock();
  const registry = sampleRegistry();
  const output = new PrometheusOutput(config, registry, log, clock);
  await output.open();
  t.teardown(() => output.close());
  const at = `http://127.0.0.1:${output.port}`;
  const samples = async (): Promise<readonly string[]> =>
    (await (await fetch(`${at}/metrics`)).text())
      .trimEnd()
      .split('\n')
      .filter((line) => !/^# |relay_agent_/.test(line));
  const own = async (name: string): Promise<number> =>
    Number(
      new RegExp(`^relay_agent_${name} (.+)$`, 'm').exec(await (await fetch(`${at}/metrics`)).text())?.[1],
    );
  return { output, registry, lines, clock, at, samples, own };
};

const LABELS =
  'resource_kind="cpu_core",resource_id="0",resource_consumer_kind="local_machine",resource_consumer_id=""';

t.test('the last value of each series is shown under a name that Prometheus takes', async (t) => {
  const { output, samples, at } = await stage(t);
  await output.write(batch([point({ value: u64(1) }), point({ value: u64(2n ** 64n - 1n) })]));
  await output.write(
    batch([
      point({ metric_id: 1, value: f64(Number.NaN) }),
      point({ metric_id: 2, attributes: [text('9 lives', 'a "b"\\\n'), text('__x', 'y')] }),
    ]),
  );
  t.strictSame(await samples(), [
    `cpu_time_milliseconds{${LABELS}} 18446744073709551615`,
    `power_watts{${LABELS}} NaN`,
    `packets{${LABELS},_9_lives="a \\"b\\"\\\\\\n",_x="y"} 7`,
  ]);
  await output.write(batch([point({ metric_id: 1, value: f64(Number.NEGATIVE_INFINITY) })]));
  t.match((await samples())[1], / -Inf$/);
  const response = await fetch(`${at}/metrics`);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.match(await response.text(), /# HELP power_watts power\n# TYPE power_watts gauge\npower_watts\{/);
  t.equal((await fetch(at)).status, 404);
  t.equal((await fetch(`${at}/metrics`, { method: 'POST' })).status, 405);
});

t.test('names that come out alike are told apart, and that is told', async (t) => {
  const { output, registry, samples, lines } = await stage(
    t,
    'append_unit_to_metric_name = false\nprefix = "p_"\nsuffix = "_s"\nadd_attributes_to_labels = true',
  );
  const define = (name: string): number =>
    registry.define({ name, valueType: 'U64', unit: { base: '1', prefix: '' }, description: '' });
  await output.write(
    batch([
      point({ metric_id: define('a.b') }),
      point({ metric_id: define('a-b') }),
      point({ attributes: [text('a.b', '1'), text('a-b', '2'), text('resource_id', '3')] }),
    ]),
  );
  t.strictSame(await samples(), [
    `p_a_b_s{${LABELS}} 7`,
    `p_a_b_s_2{${LABELS}} 7`,
    `p_cpu_time_s{${LABELS},a_b="1",a_b_="2",resource_id_="3"} 7`,
  ]);
  t.match(
    lines.filter(({ level }) => level === 'warn'),
    [{ text: /"a-b" is shown as p_a_b_s_2: p_a_b_s is "a\.b"/ }],
  );
});

t.test('series beyond the limit are refused and counted, until others are stale', async (t) => {
  const { output, samples, own, clock, lines } = await stage(t, 'series_max = 3\nstale_after = "60s"');
  const many = (first: number) => batch([0, 1, 2, 3, 4].map((n) => point({ resource_id: `${first + n}` })));
  await output.write(many(0));
  t.equal((await samples()).length, 3);
  t.equal(await own('refused_points_total'), 2);
  await clock.turn(30_000);
  await output.write(batch([point({ resource_id: '0' })]));
  await clock.turn(40_000);
  t.equal((await samples()).length, 1, 'those without a new point are gone');
  await output.write(many(10));
  t.equal((await samples()).length, 3);
  t.equal(await own('series'), 3);
  t.equal(await own('refused_points_total'), 5);
  t.equal(lines.filter(({ text }) => /refused/.test(text)).length, 1);
});

t.test('an address that is taken is told at the start', async (t) => {
  const { output } = await stage(t);
  const table = new ConfigTable('plugins.prometheus', { port: output.port });
  const second = new PrometheusOutput(
    prometheusPlugin.read(table),
    sampleRegistry(),
    recordedLog().log,
    new ManualClock(),
  );
  await t.rejects(second.open(), { code: 'OUTPUT_ADDRESS', got: /EADDRINUSE/ });
  await second.close();
  t.doesNotThrow(() =>
    prometheusPlugin.read(
      new ConfigTable('plugins.prometheus', parse(prometheusPlugin.defaults) as TomlTable),
    ),
  );
});
