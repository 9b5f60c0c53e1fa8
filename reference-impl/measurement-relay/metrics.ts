import { WireError } from '../machine/wire-error.ts';

export type ValueType = 'F64' | 'U64';
/** UCUM: `{ base: 'J', prefix: 'milli' }`. Any other base is a custom unit. */
export type Unit = { readonly base: string; readonly prefix: string };

export type MetricDefinition = {
  readonly name: string;
  readonly valueType: ValueType;
  readonly unit: Unit;
  /** For people; empty for metrics that came over the wire, and no part of what makes definitions equal. */
  readonly description: string;
};
export type Metric = MetricDefinition & { readonly id: number };

/** Why a metric cannot be had. */
export type MetricRefusal = 'name taken' | 'name too long' | 'too many metrics';

export type RegistryLimits = {
  /** Default 65,536: what a wire id can tell apart. */
  readonly metricsMax: number;
  /** Longest name, in UTF-16 units. Default 1,024. */
  readonly nameLengthMax: number;
};

/** How many metrics of one client may fight for one name: each is tried before the next. */
const RENAMES_MAX = 100;

/** How other agents write prefixes. */
const PREFIX_ALIASES: Readonly<Record<string, string>> = {
  n: 'nano',
  μ: 'micro',
  // the micro sign looks the same
  '\u00b5': 'micro',
  m: 'milli',
  k: 'kilo',
  M: 'mega',
  G: 'giga',
};

/** A unit with its prefix spelled out, so that equal units are equal. */
export const plainUnit = (unit: Unit): Unit => {
  const prefix = Object.hasOwn(PREFIX_ALIASES, unit.prefix) ? PREFIX_ALIASES[unit.prefix] : undefined;
  return { base: unit.base, prefix: prefix ?? unit.prefix };
};

/** Whether two definitions are the same metric. */
export const sameMetric = (a: MetricDefinition, b: MetricDefinition): boolean =>
  a.name === b.name &&
  a.valueType === b.valueType &&
  a.unit.base === b.unit.base &&
  a.unit.prefix === b.unit.prefix;

/**
 * Every metric of an agent. A name has one definition; a client's metric of that name and another definition becomes
 * `<name>_relay-client-<client>`, then `..._2`, `_3`. Ids are 0, 1, 2, ... and never given up.
 */
export class MetricRegistry {
  readonly #limits: RegistryLimits;
  readonly #metrics: Metric[] = [];
  readonly #byName = new Map<string, Metric>();
  readonly #listeners = new Set<(metric: Metric) => void>();

  constructor(limits: Partial<RegistryLimits> = {}) {
    this.#limits = { metricsMax: 65_536, nameLengthMax: 1_024, ...limits };
  }

  /** In the order of their ids. It grows. */
  get list(): readonly Metric[] {
    return this.#metrics;
  }

  get(id: number): Metric | undefined {
    return this.#metrics[id];
  }

  named(name: string): Metric | undefined {
    return this.#byName.get(name);
  }

  /** Hears of every metric that is new from now on. @returns stops it */
  onDefined(listener: (metric: Metric) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns the id, an old one for an equal definition @throws WireError METRIC_REFUSED */
  define(definition: MetricDefinition): number {
    const id = this.tryDefine(definition, undefined);
    if (typeof id === 'number') return id;
    const taken = this.#byName.get(definition.name);
    throw new WireError({
      code: 'METRIC_REFUSED',
      fault: 'local',
      at: undefined,
      expected: taken === undefined ? 'a metric within the limits' : `${taken.name} as ${described(taken)}`,
      got: `${definition.name} as ${described(definition)} (${id})`,
      hint: 'give it another name',
    });
  }

  /**
   * @param client whose metric it is, to rename it after in a clash; undefined: our own, which a clash refuses
   * @returns the id, or why there is none
   */
  tryDefine(definition: MetricDefinition, client: string | undefined): number | MetricRefusal {
    if (definition.name.length > this.#limits.nameLengthMax) return 'name too long';
    const wanted = { ...definition, unit: plainUnit(definition.unit) };
    const renamed = `${wanted.name}_relay-client-${client}`;
    let named: MetricDefinition = wanted;
    for (let attempt = 1; attempt <= RENAMES_MAX; attempt++) {
      const taken = this.#byName.get(named.name);
      if (taken === undefined) return this.#add(named);
      if (sameMetric(taken, named)) return taken.id;
      if (client === undefined) return 'name taken';
      named = { ...wanted, name: attempt === 1 ? renamed : `${renamed}_${attempt}` };
    }
    return 'name taken';
  }

  #add(definition: MetricDefinition): number | MetricRefusal {
    if (this.#metrics.length >= this.#limits.metricsMax) return 'too many metrics';
    const metric: Metric = { ...definition, id: this.#metrics.length };
    this.#metrics.push(metric);
    this.#byName.set(metric.name, metric);
    for (const listener of this.#listeners) listener(metric);
    return metric.id;
  }
}

const described = ({ valueType, unit }: MetricDefinition): string =>
  `${valueType} in ${unit.prefix}${unit.prefix === '' ? '' : ' '}${unit.base}`;
