import t from 'tap';
import { ChaosError } from '../chaos-error.ts';
import { checkFault, parseFault } from './check.ts';
import { FAMILIES } from './registry.ts';

const PARSED: readonly (readonly [string, object])[] = [
  [
    'latency:ms=60,jitter=25,dist=normal,direction=down',
    { kind: 'latency', ms: 60, jitter: 25, dist: 'normal', direction: 'down' },
  ],
  ['latency:ms=1.5s', { kind: 'latency', ms: 1500 }],
  ['bandwidth:rate=12Mbit,burst=64KiB', { kind: 'bandwidth', rate: 1_500_000, burst: 65_536 }],
  ['lossLike:ratio=1%', { kind: 'lossLike', ratio: 0.01 }],
  ['slice:size=64,delayUs=2ms', { kind: 'slice', size: 64, delayUs: 2000 }],
  ['down', { kind: 'down' }],
  [
    'reset:selector.connections=2-5,selector.probability=0.5,when.afterMillis=2s,forMillis=100',
    {
      kind: 'reset',
      selector: { connections: [2, 5], probability: 0.5 },
      when: { afterMillis: 2000 },
      forMillis: 100,
    },
  ],
  ['reset:selector.connections=3', { kind: 'reset', selector: { connections: 3 } }],
  [
    'cutAfter:marker=hex:0d0a,occurrence=2,how=silent',
    { kind: 'cutAfter', marker: 'hex:0d0a', occurrence: 2, how: 'silent' },
  ],
  [
    'cutAfter:bytes=0,how=rst,when.event=connect',
    { kind: 'cutAfter', bytes: 0, how: 'rst', when: { event: 'connect' } },
  ],
];

t.test('command line text becomes a fault, and the fault checks as itself', (t) => {
  for (const [text, fault] of PARSED) {
    t.same(parseFault(text), fault, text);
    t.same(checkFault(fault), fault);
  }
  t.end();
});

t.test('the example of every family is right and of its family', (t) => {
  for (const [kind, { example }] of Object.entries(FAMILIES)) t.equal(parseFault(example).kind, kind);
  t.end();
});

const WRONG: readonly (readonly [string, string, string])[] = [
  ['latncy:ms=60', 'FAULT_UNKNOWN', "'latency'"],
  ['Latency:ms=60', 'FAULT_UNKNOWN', "'latency'"],
  ['cutafter:bytes=1', 'FAULT_UNKNOWN', "'cutAfter'"],
  ['', 'FAULT_UNKNOWN', 'did you mean'],
  ['latency:ms=60,jiter=25', 'ATTRIBUTE_UNKNOWN', "'jitter'"],
  ['latency:ms=60,directon=up', 'ATTRIBUTE_UNKNOWN', "'direction'"],
  ['latency:ms=60,selector.conections=1', 'ATTRIBUTE_UNKNOWN', "'connections'"],
  ['latency:ms=60,wen.byte=1', 'ATTRIBUTE_UNKNOWN', "'when'"],
  ['latency:ms=60,when.afterMilis=1', 'ATTRIBUTE_UNKNOWN', "'afterMillis'"],
  ['latency', 'ATTRIBUTE_MISSING', 'latency:ms=60'],
  ['latency:ms', 'FAULT_SYNTAX', 'hex:2c'],
  ['latency:ms=sixty', 'ATTRIBUTE_VALUE', 'milliseconds'],
  ['latency:ms=-1', 'ATTRIBUTE_VALUE', 'at least 0'],
  ['latency:ms=60,dist=gauss', 'ATTRIBUTE_VALUE', 'uniform | normal | pareto'],
  ['latency:ms=60,direction=sideways', 'ATTRIBUTE_VALUE', 'up | down | both'],
  ['latency:ms=60,correlation=1', 'ATTRIBUTE_VALUE', 'below 1'],
  ['bandwidth:rate=0', 'ATTRIBUTE_VALUE', 'at least 1'],
  ['bandwidth:rate=12Mbits', 'ATTRIBUTE_VALUE', 'bytes per second'],
  ['lossLike:ratio=1.5', 'ATTRIBUTE_VALUE', '0 to 1'],
  ['slice:size=10,variation=10', 'ATTRIBUTE_VALUE', 'variation below size'],
  ['slice:size=1.5', 'ATTRIBUTE_VALUE', 'no fractions'],
  ['cutAfter:how=rst', 'ATTRIBUTE_VALUE', 'either bytes or marker'],
  ['cutAfter:bytes=1,marker=x,how=rst', 'ATTRIBUTE_VALUE', 'either bytes or marker'],
  ['cutAfter:bytes=1,occurrence=2,how=rst', 'ATTRIBUTE_VALUE', 'only together with marker'],
  ['cutAfter:marker=hex:0,how=rst', 'ATTRIBUTE_VALUE', 'pairs of hexadecimal digits'],
  ['refuse:first=1,ratio=1', 'ATTRIBUTE_VALUE', 'either first or ratio'],
  ['refuse:first=1,direction=up', 'ATTRIBUTE_VALUE', 'no direction'],
  ['refuse:first=1,when.byte=3', 'ATTRIBUTE_VALUE', 'afterMillis only'],
  ['reset:when.byte=3,when.event=fin', 'ATTRIBUTE_VALUE', 'one of afterMillis'],
  ['reset:when.byte=3,when.occurrence=2', 'ATTRIBUTE_VALUE', 'only together with marker'],
  ['reset:selector.connections=0', 'ATTRIBUTE_VALUE', 'ordinal from 1'],
  ['reset:selector.connections=5-2', 'ATTRIBUTE_VALUE', 'ordinal from 1'],
];

t.test('what is wrong is named with its code and what would be right', (t) => {
  for (const [text, code, says] of WRONG) {
    try {
      parseFault(text);
      t.fail(`${text} was accepted`);
    } catch (error) {
      t.ok(
        error instanceof ChaosError && error.code === code && error.message.includes(says),
        `${text}: ${error}`,
      );
    }
  }
  t.end();
});

t.test('values that are no faults at all are errors, not crashes', (t) => {
  for (const value of [
    undefined,
    null,
    7,
    'latency',
    [],
    {},
    { kind: 7 },
    { kind: 'toString' },
    { kind: 'reset', when: 3 },
  ])
    t.throws(() => checkFault(value), ChaosError, JSON.stringify(value) ?? 'undefined');
  t.end();
});
