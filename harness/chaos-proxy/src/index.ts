export { CHAOS_ERRORS, ChaosError, type ChaosErrorCode } from './chaos-error.ts';
export { checkFault, parseFault } from './faults/check.ts';
export type { CutHow, Direction, FaultCommon, Selector, When } from './faults/fault.ts';
export { FAMILIES, type Fault } from './faults/registry.ts';
export { LinkMachine } from './link.ts';
export type { LinkCommand, LinkOptions, LinkReport } from './link-words.ts';
export type {
  Address,
  CommandInput,
  Conn,
  Machine,
  Millis,
  NameConn,
  NetInput,
  NetOutput,
} from './machine.ts';
export { PROFILES, type Profile, type ProfileName, profileOf } from './profiles.ts';
export { type ChaosProxy, type ChaosProxyOptions, createChaosProxy, type FaultSpec } from './proxy.ts';
export type { EffectReport, ReceiptReport } from './receipt.ts';
export { ProxyStore } from './rest/proxy-store.ts';
export { ApiServer, type ApiServerOptions } from './rest/server.ts';
