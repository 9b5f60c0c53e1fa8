import type { Attribute } from '../faults/attribute.ts';
import type { Family } from '../faults/fault.ts';
import { FAMILIES, type Fault } from '../faults/registry.ts';

/** An attribute of one of Toxiproxy's toxics, and where it goes in a fault of ours. */
export type Term = {
  readonly name: string;
  readonly field: string;
  /** Ours is theirs times this. */
  readonly scale: number;
  readonly type: 'whole' | 'ratio';
  readonly unit: string;
  readonly least: number;
};

/** A type of toxic: how it is written over HTTP and which kind of fault it is. */
export type ToxicType = {
  readonly type: string;
  /** `toxiproxy`: a client of Toxiproxy knows it; `own`: an addition. */
  readonly origin: 'toxiproxy' | 'own';
  readonly kind: Fault['kind'];
  /** One line for the README. */
  readonly note: string;
  /** Toxiproxy's attributes, in its order; all have the default 0. */
  readonly terms: readonly Term[];
  /** Attributes of the family that it takes besides, as the command line writes them. */
  readonly more: readonly Attribute[];
  /** What the fault has whatever the attributes are. */
  readonly preset: Readonly<Record<string, unknown>>;
};

const whole = (name: string, field: string, unit: string, options: Partial<Term> = {}): Term => ({
  name,
  field,
  unit,
  scale: 1,
  type: 'whole',
  least: 0,
  ...options,
});
const ratio = (name: string, field: string): Term => whole(name, field, '0 to 1', { type: 'ratio' });

type Spec = {
  readonly kind: Fault['kind'];
  readonly note: string;
  readonly terms?: readonly Term[];
  readonly more?: readonly string[];
  readonly preset?: Readonly<Record<string, unknown>>;
};

const SPECS: Readonly<Record<string, Spec>> = {
  latency: {
    kind: 'latency',
    note: 'data and FIN arrive `latency` ± `jitter` later, in order',
    terms: [whole('latency', 'ms', 'ms'), whole('jitter', 'jitter', 'ms')],
    more: ['dist', 'correlation', 'unit'],
  },
  bandwidth: {
    kind: 'bandwidth',
    note: 'at most `rate` × 1,000 bytes a second for each connection; 0: nothing passes until it is changed or removed',
    terms: [whole('rate', 'rate', 'KB/s', { scale: 1000 })],
    more: ['burst', 'scope'],
  },
  slow_close: {
    kind: 'slowClose',
    note: 'the FIN of its stream arrives later than the bytes before it',
    terms: [whole('delay', 'ms', 'ms')],
  },
  timeout: {
    kind: 'blackhole',
    note: 'data is thrown away, the connection closed after `timeout`; 0: only when the toxic is removed',
    terms: [whole('timeout', 'closeMs', 'ms')],
  },
  reset_peer: {
    kind: 'reset',
    note: 'both ends get RST, `timeout` after the toxic came or the connection if that is younger',
    terms: [whole('timeout', 'afterMs', 'ms')],
  },
  slicer: {
    kind: 'slice',
    note: 'data leaves in slices of `average_size` ± `size_variation` bytes with `delay` between them',
    terms: [
      whole('average_size', 'size', 'bytes', { least: 1 }),
      whole('size_variation', 'variation', 'bytes'),
      whole('delay', 'delayUs', 'µs'),
    ],
  },
  limit_data: {
    kind: 'cutAfter',
    note: 'the connection is closed right behind this many bytes of its stream',
    terms: [whole('bytes', 'bytes', 'bytes')],
    more: ['how'],
    preset: { how: 'close' },
  },
  packet_loss: {
    kind: 'lossLike',
    note: 'segments come a retransmission late; Toxiproxy takes the bytes out of the stream instead',
    terms: [ratio('loss_rate', 'ratio'), ratio('correlation', 'correlation')],
    more: ['burst', 'rtoMs'],
  },
  noop: { kind: 'latency', note: 'nothing', preset: { ms: 0 } },
};

const familyNamed = (kind: string): Family<Fault> =>
  FAMILIES[kind as Fault['kind']] as unknown as Family<Fault>;

const theirs = Object.entries(SPECS).map(([type, spec]): ToxicType => {
  const { attributes } = familyNamed(spec.kind);
  const { terms = [], more = [], preset = {} } = spec;
  return {
    type,
    origin: 'toxiproxy',
    kind: spec.kind,
    note: spec.note,
    terms,
    more: attributes.filter(({ name }) => more.includes(name)),
    preset,
  };
});
const ours = Object.values(FAMILIES)
  .filter(({ kind }) => !Object.hasOwn(SPECS, kind))
  .map(
    ({ kind, note, attributes }): ToxicType => ({
      type: kind,
      origin: 'own',
      kind,
      note,
      terms: [],
      more: attributes,
      preset: {},
    }),
  );

/** Every type of toxic: Toxiproxy's, then our faults under their own names (where Toxiproxy has not taken the name). */
export const TOXIC_TYPES: ReadonlyMap<string, ToxicType> = new Map(
  [...theirs, ...ours].map((each) => [each.type, each]),
);
