/** Metrics that come late, and metrics of one name that are not the same. */

import type { Analysis } from '../../measure/analysis.ts';
import { plainMetric } from '../../measure/point-code.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

type Metric = EventOf<'agent.metric'>;

class Metrics implements Judging {
  readonly #analysis: Analysis;
  readonly #metrics: Metric[] = [];
  /** By the name of the agent. */
  readonly #series = new Map<string, EventOf<'store.series'>[]>();

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    if (event.type === 'agent.metric') this.#metrics.push(event);
    else if (event.type === 'store.series')
      this.#series.set(event.agent, [...(this.#series.get(event.agent) ?? []), event]);
  }

  #nameOf(metric: Metric): string {
    return this.#analysis.facts.agents.get(metric.agent)?.name ?? '';
  }

  /** The names under which an agent's metric was stored. */
  #stored(metric: Metric): readonly EventOf<'store.series'>[] {
    const client = this.#nameOf(metric);
    return (this.#series.get(client) ?? []).filter(
      (series) => plainMetric(series.metric, client) === metric.metric,
    );
  }

  #late(): Finding {
    const tally = new Tally('MEAS-LATE-1', 'stored under its name, from its first point on');
    const rows = new Map(this.#analysis.points.table().rows.map((row) => [row.agent.agent, row]));
    const known = this.#analysis.points.table().read;
    for (const metric of this.#metrics) {
      const row = rows.get(metric.agent);
      // Whoever did not get so far, or could not deliver it, has shown nothing.
      if (metric.fromPoint === 0 || row === undefined || !known) continue;
      if (row.stored <= metric.fromPoint + this.#metricsOf(metric.agent)) continue;
      const stored = this.#stored(metric);
      const [early] = stored.filter(({ point }) => point < metric.fromPoint);
      if (stored.length === 0)
        tally.bad(`${this.#nameOf(metric)} has no point of ${metric.metric} in the store`, [
          proof(metric, `registered with point ${metric.fromPoint}`),
        ]);
      else if (early !== undefined)
        tally.bad(`point ${early.point}, before there was such a metric`, [proof(early, early.metric)]);
      else tally.good();
    }
    return tally.finding(
      (n) => `${count(n, 'late metric')} arrived with ${n === 1 ? 'its' : 'their'} points`,
      (broken, of) => `${broken} of ${count(of, 'late metric')} did not arrive`,
      'no metric was registered late',
    );
  }

  #metricsOf(agent: string): number {
    return this.#metrics.filter((metric) => metric.agent === agent).length;
  }

  #names(): Finding {
    const tally = new Tally(
      'MEAS-NAME-1',
      'one definition keeps the name, the other gets its client behind it',
    );
    for (const metrics of this.#clashing()) this.#clash(tally, metrics);
    return tally.finding(
      (n) => `${count(n, 'name')} with two definitions: each definition has a name of its own`,
      (broken, of) => `${broken} of ${count(of, 'name')} with two definitions were mixed up`,
      'no two agents defined one name in two ways',
    );
  }

  /** Metrics of one name, where there is more than one definition of it. */
  #clashing(): readonly (readonly Metric[])[] {
    const byName = new Map<string, Metric[]>();
    for (const metric of this.#metrics)
      byName.set(metric.metric, [...(byName.get(metric.metric) ?? []), metric]);
    return [...byName.values()].filter(
      (metrics) => new Set(metrics.map(({ definition }) => definition)).size > 1,
    );
  }

  #clash(tally: Tally, metrics: readonly Metric[]): void {
    const { faults, facts } = this.#analysis;
    const definitions = new Map<string, Set<string>>();
    for (const metric of metrics)
      for (const { metric: stored } of this.#stored(metric))
        definitions.set(stored, (definitions.get(stored) ?? new Set()).add(metric.definition));
    const names = [...definitions.keys()];
    const [first] = metrics;
    if (names.length === 0 || first === undefined) return;
    const fleet = facts.agents.get(first.agent)?.fleet ?? '';
    // A server that was started anew gives the name to whoever comes first then.
    const once = faults.outagesOf(facts.schedules.get(fleet)?.server ?? '').length === 0;
    const mixed = [...definitions].find(([, known]) => known.size > 1);
    if (names.length === 1)
      tally.bad(`all of them as ${names[0]}`, [proof(first, `${metrics.length} agents define it`)]);
    else if (!names.includes(first.metric))
      tally.bad(`nobody kept ${first.metric}: ${names.join(', ')}`, [proof(first, 'a name that nobody has')]);
    else if (mixed !== undefined && once)
      tally.bad(`${[...mixed[1]].join(' and ')} as ${mixed[0]}`, [proof(first, 'two definitions, one name')]);
    else tally.good();
  }

  findings(): readonly Finding[] {
    return [this.#late(), this.#names()];
  }
}

export const measurementMetrics: Check = {
  name: 'measurement-metrics',
  clauses: ['MEAS-LATE-1', 'MEAS-NAME-1'],
  start: (analysis) => new Metrics(analysis),
};
