/** A client of the relay, played by hand: frames of our own making, on a connection of the case. */
import type { ServerContext } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import {
  type Content,
  frameOf,
  greet,
  type Message,
  metric,
  point,
  points,
  readBody,
  register,
  send,
} from './messages.ts';
import { Stored } from './stored.ts';

/** A metric name that no other case and no other run has. */
export const newName = (it: ServerContext, hint = 'm'): string =>
  `${hint}_${(it.rng.int32() >>> 0).toString(16).padStart(8, '0')}`;

/** What the target stores, as its file shows. @throws NotApplicable where that cannot be read */
export const storedBy = (it: ServerContext): Stored => new Stored(it, it.output());

/**
 * Between two messages, as a client that measures has it. A server that loses what comes in one read with the end of a frame fails
 * for that by its own clause (`sayAtOnce`), and is judged by its merits in everything else.
 */
const PAUSE_MILLIS = 25;

/** One frame of the target, decoded. @throws Broken for what is none */
export const frameFrom = async (it: ServerContext, end: WireEnd, what: string): Promise<Message> => {
  const length = (await end.take(4, `the length of ${what}`)).readUInt32BE();
  if (length > 4_096) it.broken(`${what} in at most 4096 bytes`, `a length of ${length}`);
  const body = await end.take(length, what);
  try {
    return readBody(body).message;
  } catch (error) {
    return it.broken(`${what}, a postcard value`, `${body.toString('hex')}: ${(error as Error).message}`);
  }
};

export class Client {
  readonly name: string;
  readonly end: WireEnd;
  readonly #it: ServerContext;
  #spoke = false;

  private constructor(it: ServerContext, name: string, end: WireEnd) {
    this.#it = it;
    this.name = name;
    this.end = end;
  }

  /** Connected, greeted and accepted. */
  static async greeted(it: ServerContext, name = newName(it, 'client')): Promise<Client> {
    const client = new Client(it, name, await it.dial(name));
    await client.say(greet());
    const { content } = await frameFrom(it, client.end, 'the answer to a Greet');
    if (content.tag !== 'GreetResponse' || !content.value.accept)
      it.broken('GreetResponse{accept: true}', JSON.stringify(content));
    return client;
  }

  /** One message after the other, each in a write of its own, with a pause before all but the first. */
  async say(...contents: readonly Content[]): Promise<void> {
    for (const content of contents) {
      if (this.#spoke) await this.#it.wait(PAUSE_MILLIS);
      this.#spoke = true;
      await this.end.send(frameOf(this.name, content));
    }
  }

  /** All of them in one write. */
  sayAtOnce(...contents: readonly Content[]): Promise<void> {
    this.#spoke = true;
    return this.end.send(this.frames(...contents));
  }

  frames(...contents: readonly Content[]): Buffer {
    return Buffer.concat(contents.map((content) => frameOf(this.name, content)));
  }
}

/** A client that behaves, for cases in which another does not: what it sends must still be stored. */
export class Bystander {
  readonly #client: Client;
  readonly #stored: Stored;
  readonly #metric: string;
  #count = 0;

  private constructor(client: Client, stored: Stored, name: string) {
    this.#client = client;
    this.#stored = stored;
    this.#metric = name;
  }

  /** Connected before the mischief, with points of its own in the store. */
  static async beside(it: ServerContext): Promise<Bystander> {
    const name = newName(it, 'bystander');
    const bystander = new Bystander(await Client.greeted(it), storedBy(it), name);
    await bystander.#client.say(register(metric(1, name)));
    await bystander.goesOn();
    return bystander;
  }

  /** @throws Broken when its next points do not arrive */
  async goesOn(): Promise<void> {
    await this.#client.say(send(...points(1, this.#count, this.#count + 5)));
    this.#count += 5;
    await this.#stored.exactly(this.#count, this.#metric);
  }
}

/** A new client is greeted, registers, and its point is stored. */
export const serves = async (it: ServerContext): Promise<void> => {
  const name = newName(it, 'after');
  const client = await Client.greeted(it);
  await client.say(register(metric(0, name)), send(point(0, 1)));
  await storedBy(it).exactly(1, name);
};
