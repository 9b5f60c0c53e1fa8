import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { onSignals } from '../../drivers/node-signals.ts';
import { Agent } from '../agent.ts';
import { AgentError, reasonOf } from '../agent-error.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import type { Log } from '../plugin.ts';
import { realClock } from '../real-clock.ts';
import { type Attended, execute, follow } from './attended.ts';
import type { WantedRun } from './command-line.ts';
import { isUsage, loadConfig } from './load.ts';
import { openLog } from './log.ts';

const LAST_POLL_MILLIS = 2_000;

const complain = (error: unknown): number => {
  if (!(error instanceof AgentError)) throw error;
  process.stderr.write(`relay-agent: ${error.message}\n`);
  return isUsage(error.code) ? 2 : 1;
};

/** What an agent without a source or an output is good for, in a warning. */
const warnOfNothing = ({ plugins }: AgentConfig, agent: Agent, log: Log): void => {
  const { sources, outputs } = agent.stats();
  if (outputs.length === 0)
    log.warn({ plugins: plugins.map(({ name }) => name) }, 'no output: what is measured goes nowhere');
  if (sources.length === 0 && !plugins.some(({ name }) => name === 'relay-server'))
    log.warn({ plugins: plugins.map(({ name }) => name) }, 'no source: nothing is measured');
};

const serveAgentMetrics = async (wanted: WantedRun, agent: Agent, log: Log): Promise<void> => {
  if (wanted.metrics === undefined) return;
  const { host, port } = wanted.metrics;
  try {
    // half the time of a start, for those only who want them
    const { agentRegistry } = await import('./metrics.ts');
    const { serveMetrics } = await import('../../metrics/serve-metrics.ts');
    const server = await serveMetrics(
      agentRegistry(() => agent.stats()),
      wanted.metrics,
    );
    log.info({ address: server.address() }, 'metrics');
  } catch (error) {
    throw new AgentError({
      code: 'METRICS_ADDRESS',
      where: '--metrics',
      expected: 'an address that can be listened on',
      got: `${host}:${port}: ${reasonOf(error)}`,
      hint: 'name another',
      cause: error,
    });
  }
};

/** What the agent attends while it measures: a command or a process of others. undefined: nothing; it could not: the exit code. */
const attend = async (wanted: WantedRun): Promise<Attended | undefined> => {
  switch (wanted.type) {
    case 'run':
      return undefined;
    case 'exec':
      return execute(wanted.command);
    case 'watch':
      return follow(wanted.pid);
  }
};

/** Runs an agent until it is told to stop, cannot go on, or what it attends has ended. @returns the exit code (see `--help`) */
export const runAgent = async (wanted: WantedRun): Promise<number> => {
  let config: AgentConfig;
  try {
    config = await loadConfig(wanted);
  } catch (error) {
    return complain(error);
  }
  const log = await openLog(wanted.log);
  const agent = new Agent(config, {
    clock: realClock(),
    log,
    self: hostname(),
    manualTrigger: wanted.type === 'exec',
    // stdout belongs to the command while one runs
    say: (line) => (wanted.type === 'exec' ? log.info(line) : process.stdout.write(`${line}\n`)),
  });
  let attended: Attended | undefined;
  let told: NodeJS.Signals | undefined;
  onSignals({
    stop: (signal) => {
      log.info({ signal }, 'stopping: a second signal ends at once');
      told = signal;
      attended?.signal(signal);
      agent.ask();
    },
    reload: () => {
      loadConfig(wanted)
        .then((next) => agent.reload(next))
        .catch((error: unknown) => log.error({ why: reasonOf(error) }, 'reload failed: going on as before'));
    },
  });
  try {
    await serveAgentMetrics(wanted, agent, log);
    await agent.start();
    warnOfNothing(config, agent, log);
    attended = await attend(wanted);
  } catch (error) {
    const code = complain(error);
    await agent.stop();
    return code;
  }
  if (attended?.pid !== undefined) agent.watch(attended.pid);
  // it came while the command was being started
  if (told !== undefined) attended?.signal(told);
  log.info({ plugins: config.plugins.map(({ name }) => name) }, 'running');
  if (wanted.type === 'run') process.stdout.write('relay-agent running\n');
  if (attended !== undefined) {
    void agent.pollAll();
    void attended.ended.then(() => agent.ask());
  }
  await agent.asked;
  const ownCode = attended === undefined ? 0 : await attended.ended;
  // an output that is stuck must not keep the command's code from being passed on
  if (attended !== undefined)
    await Promise.race([agent.pollAll(), sleep(LAST_POLL_MILLIS, undefined, { ref: false })]);
  const { clean, problems } = await agent.stop();
  for (const problem of problems) process.stderr.write(`relay-agent: ${problem}\n`);
  log.info({ clean }, 'stopped');
  if (!clean) return 1;
  return wanted.type === 'exec' && wanted.ignoreExitCode ? 0 : ownCode;
};
