import type { Millis } from '../machine.ts';
import type { Family, FaultCommon } from './fault.ts';

/** The FIN arrives later than the bytes before it. */
export type SlowCloseFault = FaultCommon & { readonly kind: 'slowClose'; readonly ms: number };

export const SLOW_CLOSE: Family<SlowCloseFault> = {
  kind: 'slowClose',
  note: 'the FIN arrives later than the bytes before it',
  proof: 'FINs delayed',
  attributes: [{ name: 'ms', type: 'millis', standard: 'required', note: 'how much later' }],
  example: 'slowClose:ms=2000,direction=down',
  triggers: 'any',
  directed: true,
  begin: (fault) => ({
    stage: ({ conn, direction, receipt }) => ({
      fin: (at: Millis) => {
        receipt.note('finDelayed', conn, direction, fault.ms, 'ms');
        return at + fault.ms;
      },
    }),
  }),
};
