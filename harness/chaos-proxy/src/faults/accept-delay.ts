import type { Family, FaultCommon } from './fault.ts';

/** The upstream is dialled later; what the client sends meanwhile is held. */
export type AcceptDelayFault = FaultCommon & { readonly kind: 'acceptDelay'; readonly ms: number };

export const ACCEPT_DELAY: Family<AcceptDelayFault> = {
  kind: 'acceptDelay',
  note: 'the upstream is dialled later; what the client sends meanwhile is held',
  proof: 'dials delayed',
  attributes: [{ name: 'ms', type: 'millis', standard: 'required', note: 'how much later' }],
  example: 'acceptDelay:ms=300',
  triggers: 'time',
  directed: false,
  begin: (fault) => ({
    door: ({ conn, receipt }) => {
      receipt.note('acceptDelayed', conn, 'both', fault.ms, 'ms');
      return { refuse: false, delayMillis: fault.ms };
    },
  }),
};
