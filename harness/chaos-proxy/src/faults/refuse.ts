import type { Family, FaultCommon } from './fault.ts';

/** New connections get RST at once and the upstream hears nothing of them. */
export type RefuseFault = FaultCommon & {
  readonly kind: 'refuse';
  /** The first n that come while it acts. */
  readonly first?: number;
  /** Or: this share of them. */
  readonly ratio?: number;
};

export const REFUSE: Family<RefuseFault> = {
  kind: 'refuse',
  note: 'new connections get RST at once; the upstream hears nothing of them',
  proof: 'connections refused',
  attributes: [
    { name: 'first', type: 'count', standard: 'or ratio', note: 'the first n that come while it acts' },
    { name: 'ratio', type: 'ratio', standard: 'or first', note: 'this share of them' },
  ],
  example: 'refuse:first=2',
  triggers: 'time',
  directed: false,
  check: (fault) =>
    (fault.first === undefined) === (fault.ratio === undefined) ? 'either first or ratio' : undefined,
  begin: (fault) => {
    let left = fault.first ?? 0;
    return {
      door: ({ conn, random, receipt }) => {
        const hit = fault.ratio === undefined ? left-- > 0 : random.unit(0) < fault.ratio;
        if (!hit) return undefined;
        receipt.note('refused', conn, 'both', 1, 'count');
        return { refuse: true, delayMillis: 0 };
      },
    };
  },
};
