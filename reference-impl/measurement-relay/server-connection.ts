import type { Conn } from '../machine/machine.ts';
import { FrameReader } from './frame-reader.ts';
import { Intake } from './intake.ts';
import type { SeriesBook } from './known-series.ts';
import type { Origin } from './messages.ts';
import type { MetricRegistry } from './metrics.ts';
import type { PointsReader } from './points-reader.ts';

/** A frame whose points are handed out in parts. */
export type OpenFrame = {
  readonly points: PointsReader;
  readonly sender: string;
  readonly origin: Origin | undefined;
};

/**
 * - `greeting`: connected, no Greet yet
 * - `up`: greeted; with a spool also until the host has said where it stands
 * - `leaving`: we want to end it as soon as nothing of it is on its way to the host
 */
export type ServerConnState = 'greeting' | 'up' | 'leaving';

/** One client's connection, as the server holds it. */
export class ServerConnection {
  readonly conn: Conn;
  readonly reader = new FrameReader();
  readonly intake: Intake;
  state: ServerConnState = 'greeting';
  /** Its name in the Greet. */
  client = '';
  /** Both ends announced acknowledgement. */
  acknowledges = false;
  /** The spool it opened, as the key of its claim. */
  spool: { readonly key: string; readonly name: string; readonly first: number } | undefined;
  /** The last batch of its spool that is stored; 0: none. Undefined until the host has said so. */
  stored: number | undefined;
  frame: OpenFrame | undefined;
  /** Batches with the host. */
  undelivered = 0;
  /** We asked the driver not to read. */
  paused = false;
  /** Their FIN came. */
  ended = false;
  /** Our FIN is sent. */
  closing = false;
  /** There is no socket any more; what it sent is still handed out. */
  gone = false;
  /** What `heldBytes` of the reader was when the sum over all was made. */
  counted = 0;
  /** Reports about its metrics so far. */
  oddMetrics = 0;

  constructor(conn: Conn, registry: MetricRegistry, book: SeriesBook) {
    this.conn = conn;
    this.intake = new Intake(registry, book);
  }

  /** Waits for the host to say where its spool stands. */
  get asking(): boolean {
    return this.spool !== undefined && this.stored === undefined;
  }
}
