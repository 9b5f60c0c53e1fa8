/** Every byte accounted for: what arrived is what was sent, and what did not arrive has a receipted reason. */

import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof } from './check.ts';

const SHOWN_MAX = 5;

class LedgerJudge implements Judging {
  readonly #analysis: Analysis;
  readonly #wrong: EventOf<'ledger.span'>[] = [];
  readonly #lost: EventOf<'ledger.span'>[] = [];
  readonly #wrongTunnels = new Set<number>();

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    if (event.type !== 'ledger.span' || event.tunnel < 0) return;
    const list = event.state === 'lost' ? this.#lost : this.#wrong;
    if (event.state !== 'lost') this.#wrongTunnels.add(event.tunnel);
    if (list.length < SHOWN_MAX) list.push(event);
  }

  findings(): readonly Finding[] {
    const { ledger, faults, endMicros, complete } = this.#analysis;
    const table = ledger.table(faults.rows(), endMicros, complete);
    const sum = (
      key: 'lost' | 'repeated' | 'reordered' | 'foreign' | 'received' | 'sent' | 'cutBytes',
    ): number => table.rows.reduce((total, row) => total + row[key], 0);
    const exercised = table.ended;
    const none = {
      exercised: 0,
      broken: 0,
      evidence: [],
      ladder: [],
      got: '',
      blame: undefined,
      verdict: 'not-applicable' as const,
      summary: 'no tunnel ended',
    };
    const lostExpected = 'every byte sent arrives, unless a receipted fault or an abort cut the end';
    const wrongExpected = 'only the bytes that belong there, once, in order';
    if (exercised === 0)
      return [
        { clause: 'LEDGER-1', expected: lostExpected, ...none },
        { clause: 'LEDGER-2', expected: wrongExpected, ...none },
      ];
    const lost = sum('lost');
    const wrong = sum('repeated') + sum('reordered') + sum('foreign');
    // A tunnel that ended early with all its bytes has lost its end: that is for the clauses about ends.
    const cut = lost === 0 ? [] : table.cuts.filter(({ fault }) => fault === 0);
    return [
      {
        clause: 'LEDGER-1',
        verdict: lost === 0 ? 'pass' : 'fail',
        blame: lost === 0 ? undefined : 'target',
        summary:
          lost === 0
            ? `${sum('received')} bytes of ${count(exercised, 'tunnel')} accounted for, ${sum('cutBytes')} of them cut by receipted faults and aborts`
            : `${count(lost, 'byte')} of ${count(exercised, 'tunnel')} are missing, ${count(table.cutsUnexplained, 'tunnel')} cut short or with a hole without a reason`,
        expected: lostExpected,
        got: lost === 0 ? 'as expected' : `${count(lost, 'byte')} missing`,
        exercised,
        broken: lost === 0 ? 0 : Math.max(table.cutsUnexplained, this.#lost.length),
        evidence: [
          ...this.#lost.map((span) =>
            proof(
              span,
              `tunnel ${span.tunnel} ${span.direction}: ${span.length} bytes missing before offset ${span.offset + span.length}`,
            ),
          ),
          ...cut.slice(0, SHOWN_MAX).map(({ t, tunnel, mode }) => ({
            t,
            who: 'users',
            text: `tunnel ${tunnel} (${mode}) is over, and not all of it arrived`,
            hex: undefined,
            here: true,
          })),
        ],
        ladder: [],
      },
      {
        clause: 'LEDGER-2',
        verdict: wrong === 0 ? 'pass' : 'fail',
        blame: wrong === 0 ? undefined : 'target',
        summary:
          wrong === 0
            ? `no byte of ${count(exercised, 'tunnel')} was repeated, reordered or foreign`
            : `${sum('foreign')} foreign, ${sum('repeated')} repeated and ${sum('reordered')} reordered bytes arrived`,
        expected: wrongExpected,
        got: wrong === 0 ? 'as expected' : `${count(wrong, 'wrong byte')}`,
        exercised,
        broken: this.#wrongTunnels.size,
        evidence: this.#wrong.map((span) =>
          proof(
            span,
            `tunnel ${span.tunnel} ${span.direction} offset ${span.offset}: ${span.length} bytes ${span.state}${span.from === '' ? '' : `, they belong to ${span.from}`}`,
          ),
        ),
        ladder: [],
      },
    ];
  }
}

export const ledger: Check = {
  name: 'ledger',
  clauses: ['LEDGER-1', 'LEDGER-2'],
  start: (analysis) => new LedgerJudge(analysis),
};
