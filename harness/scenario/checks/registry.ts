/** Every check a scenario can name. A new one is a file beside this and a line here. */
import { audit } from './audit.ts';
import { backoff } from './backoff.ts';
import type { Check } from './check.ts';
import { comeback } from './comeback.ts';
import { conversation } from './conversation.ts';
import { everybody } from './everybody.ts';
import { identityNodes } from './identity-nodes.ts';
import { identityTunnels } from './identity-tunnels.ts';
import { identityWire } from './identity-wire.ts';
import { ledger } from './ledger.ts';
import { measurementMetrics } from './measurement-metrics.ts';
import { measurementPoints } from './measurement-points.ts';
import { measurementRetries } from './measurement-retries.ts';
import { measurementServer } from './measurement-server.ts';
import { planKept } from './plan-kept.ts';
import { probes } from './probes.ts';
import { receipts } from './receipts.ts';
import { relayAlive } from './relay-alive.ts';
import { speed } from './speed.ts';
import { stalledAlone } from './stalled-alone.ts';
import { tunnels } from './tunnels.ts';

const ALL = {
  conversation,
  tunnels,
  ledger,
  'plan-kept': planKept,
  probes,
  backoff,
  comeback,
  everybody,
  receipts,
  audit,
  speed,
  'relay-alive': relayAlive,
  'stalled-alone': stalledAlone,
  'identity-tunnels': identityTunnels,
  'identity-wire': identityWire,
  'identity-nodes': identityNodes,
  'measurement-points': measurementPoints,
  'measurement-retries': measurementRetries,
  'measurement-metrics': measurementMetrics,
  'measurement-server': measurementServer,
} as const;

export type CheckName = keyof typeof ALL;
export const CHECKS: Readonly<Record<CheckName, Check>> = ALL;
