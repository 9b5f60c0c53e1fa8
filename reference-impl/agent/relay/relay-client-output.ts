import { WireError } from '../../machine/wire-error.ts';
import type { ClientReport } from '../../measurement-relay/client-report.ts';
import { SqliteSpool } from '../../measurement-relay/disk/spool-sqlite.ts';
import { MemorySpool } from '../../measurement-relay/memory-spool.ts';
import type { Batch } from '../../measurement-relay/messages.ts';
import { newSpoolId, type OpenedClient, openMeasurementClient } from '../../measurement-relay/node/client.ts';
import type { Spool } from '../../measurement-relay/spool.ts';
import { AgentError } from '../agent-error.ts';
import type { Output, PointCounts } from '../pipeline/element.ts';
import type { AgentContext } from '../plugin.ts';
import { addressText } from './address.ts';
import { limitedWarnings } from './limited-log.ts';
import type { RelayClientConfig } from './relay-client-plugin.ts';

const NAME = 'relay-client/tcp_client';
/** Above this share of its bytes a spool takes nothing more until something is delivered. */
const HOLD_SHARE = 0.75;

/**
 * Sends points to a relay server. A batch counts as taken once it is in the spool; one that was relayed to us with an acknowledgement
 * counts only once it is safe: in a spool on disk, or stored by the server.
 */
export class RelayClientOutput implements Output {
  readonly name = NAME;
  readonly #config: RelayClientConfig;
  readonly #context: AgentContext;
  readonly #warn: ReturnType<typeof limitedWarnings>;
  #spool: Spool | undefined;
  #client: OpenedClient | undefined;
  #failure: AgentError | undefined;
  #changed = Promise.withResolvers<void>();
  #delivered = 0;
  #acknowledges = false;
  #refused: string | undefined;
  #isFinishing = false;
  #isTold = false;
  #patience: (() => void) | undefined;

  constructor(config: RelayClientConfig, context: AgentContext) {
    this.#config = config;
    this.#context = context;
    this.#warn = limitedWarnings(context.log, context.clock);
  }

  async open(): Promise<void> {
    const { server, retry, acknowledge, bufferMaxLength, bufferTimeoutMillis, drainMillis } = this.#config;
    this.#spool = this.#openSpool();
    this.#client = openMeasurementClient({
      ...{ server, retry, acknowledge, bufferMaxLength, bufferTimeoutMillis },
      clientName: this.#config.clientName ?? this.#context.self,
      registry: this.#context.registry,
      spool: this.#spool,
      bounds: { drainMillis },
      report: (event) => this.#hear(event),
    });
    void this.#client.gaveUp.then(({ why, detail, left }) => this.#giveUp(why, detail, left));
  }

  async write({ points, origin }: Batch): Promise<void> {
    if (points.length === 0) return;
    const { client, spool } = this.#opened();
    if (this.#isFull(spool)) {
      const { sealedPoints, openPoints } = spool.books;
      const fields = { points: sealedPoints + openPoints };
      this.#warn('held', fields, `${NAME}: the spool is full, whoever measures waits for the server`);
      await this.#until(() => !this.#isFull(spool));
    }
    this.#refused = undefined;
    client.append(points);
    if (this.#refused !== undefined && this.#config.spoolWhenFull === 'hold')
      throw this.#spoolFailed(this.#refused);
    if (origin === undefined || spool.durable) return;
    const batch = spool.books.openPoints > 0 ? spool.next : spool.next - 1;
    client.flush();
    await this.#until(() => this.#delivered >= batch);
  }

  /** What waits goes into the spool, however full, and batches that others have sent us wait no longer than the end may take. */
  finish(): void {
    const { clock } = this.#context;
    this.#isFinishing = true;
    this.#wake();
    if (this.#spool?.durable !== false) return;
    this.#patience = clock.wake(clock.now() + this.#config.drainMillis, () => {
      this.#failure ??= this.#leftBehind('relayed points that were not; their sender has them still');
      this.#wake();
    });
  }

  async flush(): Promise<void> {
    this.#client?.flush();
  }

  counts(): PointCounts | undefined {
    if (this.#client === undefined) return undefined;
    const { received, recovered, sent, acknowledged, unconfirmed, ...now } = this.#client.counters;
    const { buffered, spooled, dropped } = now;
    return {
      total: { received, recovered, sent, acknowledged, unconfirmed },
      held: { buffered, spooled },
      dropped,
    };
  }

  async close(): Promise<void> {
    const [client, spool] = [this.#client, this.#spool];
    if (client === undefined || spool === undefined) return;
    this.#patience?.();
    const left = await client.close();
    this.#client = undefined;
    spool.close();
    if (left === 0) return;
    if (spool.durable) {
      this.#context.log.info({ points: left }, 'relay-client: kept in the spool for the next start');
      return;
    }
    if (this.#isTold) return;
    throw this.#failure ?? this.#leftBehind(`${left} points that were not`);
  }

  #leftBehind(got: string): AgentError {
    return new AgentError({
      code: 'RELAY_LEFT_BEHIND',
      where: NAME,
      expected: `every point delivered to ${addressText(this.#config.server)} within drain_timeout`,
      got,
      hint: 'set spool_path, so that they are kept on disk',
    });
  }

  #opened(): { readonly client: OpenedClient; readonly spool: Spool } {
    this.#checkFailure();
    if (this.#client === undefined || this.#spool === undefined) throw new Error(`${NAME} is not open`);
    return { client: this.#client, spool: this.#spool };
  }

  #openSpool(): Spool {
    const { spoolPath, spoolBytesMax, spoolWhenFull } = this.#config;
    const limits = {
      // held is by us, between batches: refused points would be lost
      bytesMax: spoolWhenFull === 'hold' ? Number.POSITIVE_INFINITY : spoolBytesMax,
      whenFull: spoolWhenFull === 'hold' ? 'refuse' : 'drop oldest',
    } as const;
    if (spoolPath === undefined) return new MemorySpool(newSpoolId, limits);
    try {
      return new SqliteSpool(spoolPath, newSpoolId, limits);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { code, expected, got, hint } = error;
      throw new AgentError({ code, where: `${NAME}: spool_path`, expected, got, hint, cause: error });
    }
  }

  #isFull({ books }: Spool): boolean {
    const { spoolWhenFull, spoolBytesMax } = this.#config;
    if (this.#isFinishing) return false;
    return spoolWhenFull === 'hold' && books.sealedBytes + books.openBytes > spoolBytesMax * HOLD_SHARE;
  }

  /** @throws AgentError once the client has given up */
  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.#checkFailure();
      await this.#changed.promise;
    }
    this.#checkFailure();
  }

  /** Whoever gave up takes points into a spool on disk all the same. */
  #checkFailure(): void {
    if (this.#failure !== undefined && this.#spool?.durable !== true) throw this.#failure;
  }

  #spoolFailed(detail: string): AgentError {
    return new AgentError({
      code: 'SPOOL_FULL',
      where: `${NAME}: spool`,
      expected: 'room for the points of a batch',
      got: detail,
      hint: 'free the disk',
    });
  }

  #giveUp(why: string, detail: string, left: number): void {
    const kept =
      this.#spool?.durable === true ? `${left} points are kept in the spool` : `${left} points are lost`;
    this.#failure = new AgentError({
      code: 'RELAY_GAVE_UP',
      where: NAME,
      expected: `a relay server at ${addressText(this.#config.server)}`,
      got: `${detail} (${why})`,
      hint: `${kept}; retry.max_times and retry.forever say how long it tries`,
    });
    this.#wake();
    // one that was told to end says at its end what that meant
    if (this.#isFinishing) return;
    this.#isTold = true;
    this.#context.failed(NAME, this.#failure);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #hear(event: ClientReport): void {
    const { log } = this.#context;
    const { type, ...fields } = event;
    switch (event.type) {
      case 'client.dialing':
        log.debug(fields, type);
        return;
      case 'client.greeted':
        this.#acknowledges = event.acknowledges;
        log.info({ ...fields, relay: addressText(this.#config.server) }, type);
        return;
      case 'client.sent':
        log.debug(fields, type);
        // a server that does not acknowledge is done with here
        if (!this.#acknowledges) this.#delivered = Math.max(this.#delivered, event.batch);
        break;
      case 'client.acknowledged':
        log.debug(fields, type);
        this.#delivered = Math.max(this.#delivered, event.through);
        break;
      case 'client.failed':
        log.warn(fields, type);
        return;
      case 'client.dropped':
        if (event.why === 'spool full') this.#refused = event.detail;
        this.#warn(`client.dropped ${event.why}`, fields, type);
        break;
      case 'client.spoolRenewed':
        log.warn(fields, 'client.spoolRenewed: the spool was set back, points may arrive twice');
        return;
      case 'client.gaveUp':
        return;
      case 'client.stopped':
        log.info({ ...fields, points: this.#client?.counters }, type);
        return;
    }
    this.#wake();
  }
}
