import type { Lane } from './lane.ts';
import type { Address, Conn } from './machine.ts';
import type { Receipt } from './receipt.ts';

/** One connection through the link: the end that dialled us, the end we dialled, and the two lanes between them. */
export type Connection = {
  /** From 1, in the order of accepting. */
  readonly ordinal: number;
  readonly client: Conn;
  readonly upstream: Conn;
  /** Where it is dialled to; undefined: to the link's upstream of that moment. */
  readonly to: Address | undefined;
  readonly up: Lane;
  readonly down: Lane;
  /**
   * `waiting`: not dialled yet; `silent`: cut without a word, both ends hear nothing; `closing`: both got our FIN;
   * `gone`: we reset it.
   */
  state: 'waiting' | 'dialling' | 'open' | 'spliced' | 'silent' | 'closing' | 'gone';
  clientGone: boolean;
  upstreamGone: boolean;
  /** RST follows as soon as what was sent before it has left. */
  resetOnFlush: boolean;
  /** The fault that made it silent. */
  silencedBy: Receipt | undefined;
};
