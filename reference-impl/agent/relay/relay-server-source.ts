import { WireError } from '../../machine/wire-error.ts';
import { type ServedMeasurements, serveMeasurements } from '../../measurement-relay/node/server.ts';
import type { ServerReport } from '../../measurement-relay/server-report.ts';
import { AgentError } from '../agent-error.ts';
import type { AutonomousSource, Emit, Output, PointCounts } from '../pipeline/element.ts';
import type { AgentContext } from '../plugin.ts';
import { addressText } from './address.ts';
import { limitedWarnings } from './limited-log.ts';
import type { RelayServerConfig } from './relay-server-plugin.ts';

const NAME = 'relay-server/tcp_server';

/**
 * The last batch of a spool that every output which can tell has stored for certain: from the next one on the client sends again, and
 * outputs that have more of it leave out what they have. undefined: none can tell, or one has nothing.
 */
export const lastStoredByAll = async (
  outputs: readonly Output[],
  client: string,
  spool: string,
): Promise<number | undefined> => {
  const answers = await Promise.all(
    outputs.flatMap((output) => (output.lastStored === undefined ? [] : [output.lastStored(client, spool)])),
  );
  return answers.includes(undefined) || answers.length === 0 ? undefined : Math.min(...(answers as number[]));
};

/** Takes points of relay clients. They hear that a batch is stored once every output has written it. */
export class RelayServerSource implements AutonomousSource {
  readonly name = NAME;
  readonly kind = 'autonomous';
  readonly #config: RelayServerConfig;
  readonly #context: AgentContext;
  readonly #warn: ReturnType<typeof limitedWarnings>;
  #server: ServedMeasurements | undefined;

  constructor(config: RelayServerConfig, context: AgentContext) {
    this.#config = config;
    this.#context = context;
    this.#warn = limitedWarnings(context.log, context.clock);
  }

  /** @throws AgentError RELAY_LISTEN */
  async open(emit: Emit): Promise<void> {
    const { listen, acknowledge, connectionsMax, greetMillis, drainMillis } = this.#config;
    const host = listen.host === '' ? '::' : listen.host;
    try {
      this.#server = await serveMeasurements({
        listen: { host, port: listen.port },
        registry: this.#context.registry,
        acknowledge,
        limits: { connectionsMax, greetMillis, drainMillis },
        deliver: emit,
        lastStored: (client, spool) => lastStoredByAll(this.#context.outputs(), client, spool),
        report: (event) => this.#hear(event),
      });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { expected, got, hint } = error;
      throw new AgentError({ code: 'RELAY_LISTEN', where: NAME, expected, got, hint, cause: error });
    }
    this.#context.say(`relay-agent listening on ${addressText({ host, port: this.#server.port })}`);
  }

  counts(): PointCounts | undefined {
    if (this.#server === undefined) return undefined;
    const { received, stored, acknowledged, undelivered, dropped } = this.#server.counters;
    return { total: { received, stored, acknowledged }, held: { undelivered }, dropped };
  }

  async close(): Promise<void> {
    await this.#server?.close();
    if (this.#server !== undefined)
      this.#context.log.info({ points: this.#server.counters }, 'server.closed');
    this.#server = undefined;
  }

  #hear(event: ServerReport): void {
    const { log } = this.#context;
    const { type, ...fields } = event;
    switch (event.type) {
      case 'server.greeted':
        log.info(fields, type);
        return;
      case 'server.dropped':
        this.#warn(`${type} ${event.why}`, fields, type);
        return;
      case 'server.error':
        this.#warn(`${type} ${event.code}`, fields, type);
        return;
      case 'server.renamed':
      case 'server.refused':
      case 'server.trailing':
        this.#warn(type, fields, type);
        return;
      default:
        log.debug(fields, type);
    }
  }
}
