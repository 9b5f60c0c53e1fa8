import type { Family, FaultCommon } from './fault.ts';

/** The link is down: living connections are reset, new ones refused. */
export type DownFault = FaultCommon & { readonly kind: 'down' };

export const DOWN: Family<DownFault> = {
  kind: 'down',
  note: 'the link is down: living connections are reset, new ones refused',
  proof: 'connections reset and refused',
  attributes: [],
  example: 'down:when.afterMillis=5000,forMillis=4000',
  triggers: 'time',
  directed: false,
  begin: () => ({
    stage: (place) => ({ began: () => place.reset(0) }),
    door: ({ conn, receipt }) => {
      receipt.note('refused', conn, 'both', 1, 'count');
      return { refuse: true, delayMillis: 0 };
    },
  }),
};
