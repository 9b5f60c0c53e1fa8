import { MetricRegistry } from '../../measurement-relay/metrics.ts';
import type { AgentContext } from '../plugin.ts';
import { capturingLog } from './capturing-log.ts';
import { ManualClock } from './manual-clock.ts';

/** What a plugin is given, for a test of it alone. */
export const agentContext = (over: Partial<AgentContext> = {}): AgentContext => ({
  registry: new MetricRegistry(),
  log: capturingLog(),
  self: 'this-host',
  clock: new ManualClock(),
  failed: () => undefined,
  obey: () => undefined,
  outputs: () => [],
  watched: new Set(),
  say: () => undefined,
  ...over,
});
