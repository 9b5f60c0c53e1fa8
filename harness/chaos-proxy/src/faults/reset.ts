import type { Family, FaultCommon } from './fault.ts';

/** Living connections are reset, new ones as well while the fault acts. */
export type ResetFault = FaultCommon & {
  readonly kind: 'reset';
  /** From when the fault begins for a connection (not before it was accepted). */
  readonly afterMs?: number;
};

export const RESET: Family<ResetFault> = {
  kind: 'reset',
  note: 'both ends get RST at once, also those of living connections; bytes on their way are lost',
  proof: 'connections reset',
  attributes: [
    {
      name: 'afterMs',
      type: 'millis',
      standard: '0',
      note: 'from when the fault begins, or the connection if that is younger',
    },
  ],
  example: 'reset:afterMs=500,selector.probability=0.2',
  triggers: 'any',
  directed: true,
  begin: (fault) => ({
    stage: (place) => ({ began: () => place.reset(fault.afterMs ?? 0) }),
  }),
};
