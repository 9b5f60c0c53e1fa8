/**
 * The program in a link container: both ends of the link send their frames to it (VXLAN over UDP), and it hands them on later.
 * Its one argument says who they are and what each direction does. Ends with its input.
 */
import { createSocket, type Socket } from 'node:dgram';
import { Rng } from '../../../reference-impl/machine/rng.ts';
import { DelayLine, type DelayLineOptions } from './delay-line.ts';

export type LinkRelayArgument = {
  readonly port: number;
  readonly seed: number;
  /** Addresses of the inner end (the site) and of the outer one (its gateway). */
  readonly inner: string;
  readonly outer: string;
  readonly up: DelayLineOptions;
  readonly down: DelayLineOptions;
};

/** A packet that is due within this is sent now: timers are of whole milliseconds. */
const EARLY_MILLIS = 0.5;

/** Hands frames on to one end. */
class Direction {
  readonly #line: DelayLine<Buffer>;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DelayLineOptions, rng: Rng, to: string, port: number) {
    this.#line = new DelayLine(options, rng);
    this.#socket = createSocket('udp4');
    // a datagram nobody takes is a lost packet, not an error
    this.#socket.on('error', () => undefined);
    this.#socket.connect(port, to);
  }

  take(frame: Buffer): void {
    this.#line.push(performance.now(), frame);
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    for (const frame of this.#line.take(now + EARLY_MILLIS)) this.#socket.send(frame);
    const due = this.#line.due();
    if (due !== undefined) this.#timer = setTimeout(() => this.#flush(), Math.max(1, Math.floor(due - now)));
  }
}

const argument = JSON.parse(process.argv[2] ?? '') as LinkRelayArgument;
const { port, seed, inner, outer } = argument;
const towards = {
  [inner]: new Direction(argument.up, new Rng(seed, 1, 0, 0), outer, port),
  [outer]: new Direction(argument.down, new Rng(seed, 2, 0, 0), inner, port),
};
const socket = createSocket('udp4');
socket.on('message', (frame, { address }) => towards[address]?.take(frame));
socket.bind(port, () => process.stdout.write('ready\n'));
process.stdin.resume().on('close', () => process.exit(0));
