/** One-line defects of a port client. `subjects/port-client.ts --defect NAME` is one as a program. */
import { lineByLine, type Spoiler, spoiledMultiplex } from '../mutants/middle.ts';
import { fewStreams } from '../mutants/yamux-defects.ts';

export type ClientDefect = {
  readonly clause: string;
  readonly says: string;
  /** Between it and the relay; one a program. */
  readonly relay?: () => Spoiler;
  /** Between it and the service. */
  readonly service?: () => Spoiler;
  /** It comes back at once, for ever. */
  readonly hammers?: true;
};

const POOLED = 4;
const CRASH = 70;

const crash = (why: string): never => {
  process.stderr.write(`panic: ${why}\n`);
  return process.exit(CRASH);
};

const banner = (): Spoiler => (pair) => ({ opened: () => pair.toFar(Buffer.from('v1\n')) });

const oneReadOneLine = (): Spoiler => (pair) => {
  let first = true;
  return {
    fromFar: (bytes) => {
      if (first && !bytes.includes(0x0a)) pair.kill();
      else pair.toNear(bytes);
      first = false;
    },
  };
};

const firstBytesLost = (): Spoiler => (pair) => {
  let first = true;
  return {
    fromNear: (bytes) => {
      pair.toFar(first ? bytes.subarray(4) : bytes);
      first = false;
    },
  };
};

const halfCloseKills = (): Spoiler => (pair) => ({ farEnded: pair.kill });

const everySecondId = (): Spoiler => (pair) => {
  let lines = 0;
  return {
    fromFar: lineByLine(
      (text) => {
        lines++;
        if (lines === 1 || lines % 2 === 0) pair.toNear(Buffer.from(text, 'latin1'));
        return 'more';
      },
      (bytes) => pair.toNear(bytes),
    ),
  };
};

const notRefilled = (): Spoiler => {
  let opened = 0;
  return () => ({ dropped: ++opened > POOLED });
};

const neverBack = (): Spoiler => {
  let gone = false;
  return (pair) => {
    const over = (): void => {
      gone = true;
      pair.kill();
    };
    return { dropped: gone, farEnded: over, farLost: over, refused: over };
  };
};

const crashesOnGarbage = (): Spoiler => (pair) => {
  let first = true;
  return {
    fromFar: (bytes) => {
      if (first && !/^\d{1,5}(\n|$)/.test(bytes.toString('latin1', 0, 8)))
        process.kill(process.pid, 'SIGKILL');
      first = false;
      pair.toNear(bytes);
    },
  };
};

const needsService = (): Spoiler => () => ({ refused: () => crash('connection refused') });

/** By the name that `--defect` takes. */
export const CLIENT_DEFECTS: Readonly<Record<string, ClientDefect>> = {
  banner: { clause: 'PORT-CLIENT-1', says: 'it says its version first', relay: banner },
  'one-read-one-line': {
    clause: 'PORT-CLIENT-2',
    says: 'the first read is taken for the answer',
    relay: oneReadOneLine,
  },
  'first-bytes-lost': {
    clause: 'PORT-CLIENT-3',
    says: 'the first bytes of a user do not reach the service',
    service: firstBytesLost,
  },
  'half-close-kills': {
    clause: 'PORT-CLIENT-4',
    says: "the user's half-close ends both directions",
    relay: halfCloseKills,
  },
  'second-ids-lost': {
    clause: 'PORT-CLIENT-5',
    says: 'every second user of a listener is not claimed',
    relay: everySecondId,
  },
  'not-refilled': {
    clause: 'PORT-CLIENT-6',
    says: 'a connection that was taken is not replaced',
    relay: notRefilled,
  },
  'three-streams': {
    clause: 'PORT-CLIENT-7',
    says: 'the fourth stream at a time is reset',
    relay: () => spoiledMultiplex({ clause: '', says: '', spoil: fewStreams(3) }, 'near'),
  },
  'needs-service': {
    clause: 'PORT-CLIENT-8',
    says: 'it ends when the service is away',
    service: needsService,
  },
  'never-back': { clause: 'PORT-CLIENT-9', says: 'it does not come back', relay: neverBack },
  hammers: { clause: 'PORT-CLIENT-10', says: 'it comes back at once, for ever', hammers: true },
  'crashes-on-garbage': {
    clause: 'PORT-CLIENT-11',
    says: 'an answer without a port ends the process',
    relay: crashesOnGarbage,
  },
};
