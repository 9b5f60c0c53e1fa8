import type { NetInput, Why } from '../machine/machine.ts';

const WHY: Readonly<Record<string, Why>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EAFNOSUPPORT: 'unreachable',
  // a packet filter of this host
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  // a port out of range
  ERR_SOCKET_BAD_PORT: 'unreachable',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  ENOBUFS: 'exhausted',
  ENOMEM: 'exhausted',
  // no local port left, or the one asked for by `from` is taken
  EADDRNOTAVAIL: 'exhausted',
  EADDRINUSE: 'exhausted',
};

/** Why a connection ended, from Node's error code. What is not listed (ECONNRESET, EPIPE, ...) is a reset. */
export const whyOf = (error: unknown): Why => WHY[codeOf(error)] ?? 'reset';

type WhyUnlistened = Extract<NetInput, { readonly type: 'unlistened' }>['why'];

const UNLISTENED: Readonly<Record<string, WhyUnlistened>> = {
  EADDRINUSE: 'in use',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  ENOBUFS: 'exhausted',
  ENOMEM: 'exhausted',
};

/** Why there is no listener. What is not listed (EACCES, EADDRNOTAVAIL, a name that is unknown, ...) is denied. */
export const whyUnlistened = (error: unknown): WhyUnlistened => UNLISTENED[codeOf(error)] ?? 'denied';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
