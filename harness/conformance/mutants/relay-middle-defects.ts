/** Defects of a relay that its machine cannot be given, made by a man in the middle of its control port. Only as a program. */
import { openSync } from 'node:fs';
import { lineByLine, type PairTap, type Spoiler, spoiledMultiplex } from './middle.ts';
import { YAMUX_DEFECTS, type YamuxDefect } from './yamux-defects.ts';

export type MiddleDefect = {
  readonly clause: string;
  readonly says: string;
  /** One a program: what it remembers is shared by all its connections. */
  readonly spoiler: () => Spoiler;
};

const oneReadOneLine = (): Spoiler => (pair) => {
  let first = true;
  return {
    fromNear: (bytes) => {
      if (first && bytes.at(-1) !== 0x0a) pair.kill();
      else pair.toFar(bytes);
      first = false;
    },
  };
};

/** Behind the two lines of the answer nothing reaches who registered. */
const firstNotPooled = (): Spoiler => (pair) => {
  let said = '';
  let lines = 0;
  return {
    fromNear: (bytes) => {
      said += bytes.toString('latin1');
      pair.toFar(bytes);
    },
    fromFar: (bytes) => {
      if (!said.startsWith('pool\nnew\n')) return pair.toNear(bytes);
      if (lines >= 2) return;
      lines += bytes.filter((byte) => byte === 0x0a).length;
      pair.toNear(bytes);
    },
  };
};

/** A claim is taken only when its id is the oldest that waits. */
const claimsInOrder = (): Spoiler => {
  const waiting: string[] = [];
  return (pair): PairTap => {
    let lines = 0;
    let event = false;
    let control = false;
    return {
      fromNear: lineByLine(
        (text) => {
          lines++;
          if (lines === 1) event = text === 'event\n';
          if (lines === 2) {
            control = event && text === 'new\n';
            if (event && !control && waiting.shift() !== text) {
              pair.kill();
              return 'over';
            }
          }
          pair.toFar(Buffer.from(text, 'latin1'));
          return event && lines < 2 ? 'more' : 'over';
        },
        (bytes) => pair.toFar(bytes),
      ),
      fromFar: (bytes) => {
        if (control)
          // the first line of a listener is its port
          for (const id of bytes.toString('latin1').match(/[^\n]*\n/g) ?? [])
            if (!/^\d{1,5}\n$/.test(id)) waiting.push(id);
        pair.toNear(bytes);
      },
    };
  };
};

/** Neither FIN nor RST of a multiplexed client is passed on. */
const sessionOutlived = (): Spoiler => (pair) => {
  let said = '';
  const kept = (): boolean => said.startsWith('multiplex');
  return {
    fromNear: (bytes) => {
      if (said.length < 64) said += bytes.toString('latin1');
      pair.toFar(bytes);
    },
    nearEnded: () => {
      if (!kept()) pair.endFar();
    },
    nearLost: () => {
      if (!kept()) pair.kill();
    },
  };
};

/** The next connection is looked at when the one before has said its first line. */
const oneAtATime = (): Spoiler => {
  let before: Promise<void> = Promise.resolve();
  return (pair) => {
    const done = Promise.withResolvers<void>();
    const after = before;
    before = done.promise;
    return {
      after,
      fromNear: (bytes) => {
        if (bytes.includes(0x0a)) done.resolve();
        pair.toFar(bytes);
      },
      nearEnded: () => {
        done.resolve();
        pair.endFar();
      },
      nearLost: () => {
        done.resolve();
        pair.kill();
      },
    };
  };
};

/** Each connection costs one for good. */
export const descriptorsKept = (): Spoiler => () => {
  openSync('/dev/null', 'r');
  return {};
};

const yamux = (name: string): YamuxDefect => YAMUX_DEFECTS[name] as YamuxDefect;

/** By the name that `relay.ts --defect` takes. */
export const RELAY_MIDDLE_DEFECTS: Readonly<Record<string, MiddleDefect>> = {
  'one-read-one-line': {
    clause: 'PORT-CTRL-4',
    says: 'the first read is taken for the first line',
    spoiler: oneReadOneLine,
  },
  'one-at-a-time': {
    clause: 'PORT-CTRL-7',
    says: 'a connection is looked at when the one before has said its line',
    spoiler: oneAtATime,
  },
  'first-not-pooled': {
    clause: 'PORT-POOL-3',
    says: 'the registering connection is given no user',
    spoiler: firstNotPooled,
  },
  'claims-in-order': {
    clause: 'PORT-EVENT-6',
    says: 'only the id that was announced first can be claimed',
    spoiler: claimsInOrder,
  },
  'session-one-buffer': {
    clause: 'PORT-MUX-2',
    says: 'a stream that nobody reads stops its session',
    spoiler: () => spoiledMultiplex(yamux('one-buffer'), 'far'),
  },
  'even-streams': {
    clause: 'PORT-MUX-3',
    says: 'the relay opens even streams',
    spoiler: () => spoiledMultiplex(yamux('wrong-parity'), 'far'),
  },
  'session-window-ignored': {
    clause: 'PORT-MUX-4',
    says: 'the window of a stream is ignored',
    spoiler: () => spoiledMultiplex(yamux('window-ignored'), 'far'),
  },
  'session-outlived': {
    clause: 'PORT-MUX-5',
    says: 'the end of a session is not noticed',
    spoiler: sessionOutlived,
  },
  'session-ping-unanswered': {
    clause: 'PORT-MUX-6',
    says: 'pings of a session are not answered',
    spoiler: () => spoiledMultiplex(yamux('ping-unanswered'), 'far'),
  },
  'descriptors-kept': {
    clause: 'AUDIT-FD-1',
    says: 'every connection leaves a descriptor behind',
    spoiler: descriptorsKept,
  },
};
