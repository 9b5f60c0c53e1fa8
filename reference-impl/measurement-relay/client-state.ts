import type { ClientPhase } from './client-report.ts';

/**
 * - `waiting`: for the next attempt; `dialling`, `greeting`, `opening` (the spool): on the way up; `up`: batches go over
 * - `closing`: all is delivered and our FIN sent; `gaveUp`: nothing more is tried; `stopped`: said so
 */
export type ClientState =
  | 'idle'
  | 'waiting'
  | 'dialling'
  | 'greeting'
  | 'opening'
  | 'up'
  | 'closing'
  | 'gaveUp'
  | 'stopped';

/** What a failure in a state interrupts. In the other states nothing can fail. */
export const PHASE: Readonly<Partial<Record<ClientState, ClientPhase>>> = {
  dialling: 'connect',
  greeting: 'greet',
  opening: 'open spool',
  up: 'send',
};
