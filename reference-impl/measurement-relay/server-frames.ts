import { PostcardError } from 'postcard-ts';
import { WireError } from '../machine/wire-error.ts';
import { announcesAck, greetResponse } from './greeting.ts';
import type { Drops } from './intake.ts';
import {
  COUNT,
  type Content,
  MESSAGE,
  MESSAGE_HEAD,
  type Origin,
  type Point,
  PROTOCOL_VERSION,
  VARIANT,
  WIRE_METRIC_ID_MAX,
  type WireMetric,
} from './messages.ts';
import { PointsReader } from './points-reader.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ServerConfig, ServerCounters, ServerDrop, ServerError, ServerReport } from './server-report.ts';

/** What frames bring about. */
export type FramesHost = {
  send(connection: ServerConnection, content: Content): void;
  report(event: ServerReport): void;
  /** Ends the connection. */
  fail(connection: ServerConnection, code: ServerError, detail: string): void;
  greeted(connection: ServerConnection): void;
  openSpool(connection: ServerConnection, spool: string, first: number): void;
  /** @param bytes they took on the wire */
  deliver(
    connection: ServerConnection,
    points: readonly Point[],
    bytes: number,
    origin: Origin | undefined,
  ): void;
};

/** Reports about the metrics of one connection; more than that would only fill a log. */
const ODD_METRICS_TOLD = 100;
/** A spool's name. Ours have 32. */
const SPOOL_LENGTH_MAX = 64;

/** What each message of a client means. */
export class ServerFrames {
  readonly #config: ServerConfig;
  readonly #counters: ServerCounters;
  readonly #host: FramesHost;

  constructor(config: ServerConfig, counters: ServerCounters, host: FramesHost) {
    this.#config = config;
    this.#counters = counters;
    this.#host = host;
  }

  /**
   * Goes on with a connection: the next part of an open frame, or the next frame.
   * @returns false: more bytes must come first
   * @throws WireError, PostcardError: what came has no meaning
   */
  step(connection: ServerConnection): boolean {
    if (connection.frame !== undefined) {
      this.#handOut(connection);
      return true;
    }
    const body = connection.reader.next();
    if (body === undefined) return false;
    this.#counters.frames++;
    this.#frame(connection, body);
    return true;
  }

  /** Counts and tells points that are not stored. */
  drop(connection: ServerConnection, why: ServerDrop, points: number, example: string): void {
    this.#counters.dropped[why] += points;
    const { conn, client } = connection;
    this.#host.report({ type: 'server.dropped', conn, client, why, points, example });
  }

  #frame(connection: ServerConnection, body: Uint8Array): void {
    const { value: head, end } = MESSAGE_HEAD.decodePrefix(body);
    if (head.sender.length > this.#config.limits.senderLengthMax)
      return this.#host.fail(connection, 'SENDER_TOO_LONG', `${head.sender.length} characters`);
    if (connection.state === 'greeting' && head.variant !== VARIANT.Greet)
      return this.#host.fail(connection, 'NO_GREET', `message ${head.variant} came first`);
    switch (head.variant) {
      case VARIANT.SendMeasurements:
        if (connection.spool !== undefined)
          return this.#host.fail(connection, 'UNEXPECTED', 'SendMeasurements after OpenSpool');
        connection.frame = { points: new PointsReader(body, end), sender: head.sender, origin: undefined };
        return;
      case VARIANT.SendBatch:
        if (connection.spool !== undefined) return this.#batch(connection, head.sender, body, end);
        return this.#host.fail(connection, 'UNEXPECTED', 'SendBatch without OpenSpool');
      default:
        return this.#whole(connection, body);
    }
  }

  #whole(connection: ServerConnection, body: Uint8Array): void {
    const { value: message, end } = MESSAGE.decodePrefix(body);
    const { content, sender } = message;
    this.#trailing(connection, body.length - end);
    switch (content.tag) {
      case 'Greet':
        return this.#greet(connection, sender, content.value);
      case 'RegisterMetrics':
        return this.#register(connection, sender, content.value.metrics);
      case 'OpenSpool': {
        const { spool, first } = content.value;
        if (!connection.acknowledges || connection.spool !== undefined) break;
        if (spool === '' || spool.length > SPOOL_LENGTH_MAX)
          return this.#host.fail(connection, 'UNEXPECTED', `a spool's name of ${spool.length} characters`);
        if (typeof first !== 'number' || first < 1)
          return this.#host.fail(connection, 'BATCH_NUMBER', `first batch ${first}`);
        return this.#host.openSpool(connection, spool, first);
      }
    }
    this.#host.fail(connection, 'UNEXPECTED', content.tag);
  }

  #greet(
    connection: ServerConnection,
    client: string,
    asked: Extract<Content, { tag: 'Greet' }>['value'],
  ): void {
    const accepted = asked.protocol_version === PROTOCOL_VERSION;
    const { conn } = connection;
    connection.client = client;
    this.#host.greeted(connection);
    const acknowledges = this.#config.acknowledge && announcesAck(asked.relay_plugin_version);
    this.#host.report({
      ...{ type: 'server.greeted', conn, client, accepted },
      ...{ core: asked.alumet_core_version, plugin: asked.relay_plugin_version },
      protocolVersion: asked.protocol_version,
    });
    this.#host.send(connection, greetResponse(accepted, acknowledges));
    if (!accepted)
      return this.#host.fail(connection, 'VERSION', `${asked.protocol_version}, ours is ${PROTOCOL_VERSION}`);
    // leaving stays leaving: this Greet lay in the queue when the server was told to stop
    if (connection.state === 'greeting') {
      connection.state = 'up';
      connection.acknowledges = acknowledges;
    }
  }

  #register(connection: ServerConnection, client: string, metrics: readonly WireMetric[]): void {
    // before anything of it is defined: a refused list must not leave its names behind
    for (const { id, name } of metrics)
      if (id > WIRE_METRIC_ID_MAX)
        return this.#host.fail(connection, 'METRIC_ID', `${id} for ${JSON.stringify(name.slice(0, 60))}`);
    const { conn } = connection;
    for (const { name, renamed, why } of connection.intake.register(metrics, client)) {
      if (connection.oddMetrics++ >= ODD_METRICS_TOLD) return;
      this.#host.report(
        why === undefined
          ? { type: 'server.renamed', conn, client, name, renamed }
          : { type: 'server.refused', conn, client, name, why },
      );
    }
  }

  #batch(connection: ServerConnection, sender: string, body: Uint8Array, at: number): void {
    if (body.length > this.#config.limits.batchBytesMax)
      return this.#host.fail(connection, 'BATCH_TOO_LONG', `${body.length} bytes`);
    const { value: batch, end } = COUNT.decodePrefix(body, at);
    if (typeof batch !== 'number' || batch < 1)
      return this.#host.fail(connection, 'BATCH_NUMBER', `batch ${batch}`);
    const points = new PointsReader(body, end);
    const stored = connection.stored ?? 0;
    if (batch <= stored) {
      this.#counters.received += points.left;
      this.drop(connection, 'stored before', points.left, `batch ${batch} of ${stored}`);
      return this.#host.send(connection, { tag: 'Acknowledge', value: { through: stored } });
    }
    const origin = { client: connection.client, spool: connection.spool?.name ?? '', batch };
    connection.frame = { points, sender, origin };
  }

  /** Reads the next part of the open frame and hands it out. */
  #handOut(connection: ServerConnection): void {
    const { frame, intake } = connection;
    if (frame === undefined) return;
    const points: Point[] = [];
    const drops: Drops = new Map();
    const before = frame.points.left;
    intake.begin(frame.sender, points, drops);
    const bytes = frame.points.read(this.#config.limits.batchBytesMax, intake);
    this.#counters.received += before - frame.points.left;
    for (const [why, { points, example }] of drops) this.drop(connection, why, points, example);
    if (frame.points.left === 0) {
      connection.frame = undefined;
      this.#trailing(connection, frame.points.trailing);
    }
    // an acknowledged batch counts even when no point of it is left
    if (points.length > 0 || frame.origin !== undefined)
      this.#host.deliver(connection, points, bytes, frame.origin);
  }

  #trailing(connection: ServerConnection, bytes: number): void {
    if (bytes === 0) return;
    const { conn, client } = connection;
    this.#host.report({ type: 'server.trailing', conn, client, bytes });
  }
}

/** What an exception of `step` means for its connection. Anything but a refusal of what came goes on. */
export const meaningless = (error: unknown): { readonly code: ServerError; readonly detail: string } => {
  if (!(error instanceof WireError || error instanceof PostcardError)) throw error;
  const tooLong = error instanceof WireError && error.code === 'FRAME_TOO_LONG';
  return { code: tooLong ? 'FRAME_TOO_LONG' : 'UNDECODABLE', detail: error.message };
};
