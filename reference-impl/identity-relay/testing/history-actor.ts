import type { Millis } from '../../machine/machine.ts';
import type { WireNode } from './wire-node.ts';

export type Role = 'mute' | 'shaken' | 'listener' | 'half' | 'tunnel' | 'gone';

/** One connection of a node, and what the model knows of it. */
export class Actor {
  readonly node: WireNode;
  readonly name: string;
  role: Role = 'mute';
  since: Millis;
  heardAt: Millis;
  /** From then on it neither reads nor says anything; its socket was not held back at that time. */
  hungAt: Millis | undefined;
  /** The relay must close it in this step. */
  doomed = false;
  left = false;
  /** Whom it was joined to. */
  partner: Actor | undefined;
  /** What the relay has taken from it, what must come to it if it listens, and what came. */
  readonly said: string[] = [];
  readonly due: string[] = [];
  readonly heard: string[] = [];
  /** Waits in its own socket while the relay does not read. */
  readonly queue: string[] = [];

  constructor(node: WireNode, name: string, now: Millis) {
    this.node = node;
    this.name = name;
    this.since = now;
    this.heardAt = now;
  }

  get hung(): boolean {
    return this.hungAt !== undefined;
  }

  become(role: Role, now: Millis): void {
    this.role = role;
    this.since = now;
  }

  /** Takes what has come. */
  read(): void {
    if (this.hung || this.left) return;
    this.heard.push(...(this.due.length > 0 ? this.node.incoming() : this.node.texts()));
  }

  get unreadBytes(): number {
    return this.node.heard.reduce((sum, { length }) => sum + length, 0);
  }
}

/** A connector that its listener was told of. */
export type Half = { readonly listener: Actor; readonly connector: Actor; readonly since: Millis };
