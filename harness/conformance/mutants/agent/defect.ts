/** What a defect of our agent is: keys of its configuration, or a man in the middle of what it is judged by. */
import type { Spoiler } from '../middle.ts';

export type AgentDefect = {
  readonly clause: string;
  readonly says: string;
  /** Its configuration has these, whatever was asked for: TOML, a key each. */
  readonly overrides?: readonly string[];
  /** Between it and whoever dials it, or whom it dials. One a program: what it remembers is shared by all connections. */
  readonly spoiler?: () => Spoiler;
};

export type AgentDefects = Readonly<Record<string, AgentDefect>>;
