/** A simulated program asked the real world for time, chance or a later turn. */
export class PoisonedError extends Error {
  override readonly name = 'PoisonedError';
  readonly code = 'SIM_ASKED_REAL_WORLD';
  /** The door it tried, such as `Date.now`. */
  readonly door: string;

  constructor(door: string) {
    super(
      `SIM_ASKED_REAL_WORLD: expected only the machine's own now and random stream, got a call of ${door} - ` +
        'take the time from handle(now, ...) and chance from rngFor(seed, name)',
    );
    this.door = door;
  }
}

type Door = { readonly label: string; readonly owner: object; readonly key: string };

const DOORS: readonly Door[] = [
  { label: 'Math.random', owner: Math, key: 'random' },
  { label: 'Date.now', owner: Date, key: 'now' },
  { label: 'performance.now', owner: Performance.prototype, key: 'now' },
  { label: 'process.hrtime', owner: process, key: 'hrtime' },
  { label: 'process.nextTick', owner: process, key: 'nextTick' },
  { label: 'setTimeout', owner: globalThis, key: 'setTimeout' },
  { label: 'setInterval', owner: globalThis, key: 'setInterval' },
  { label: 'setImmediate', owner: globalThis, key: 'setImmediate' },
  { label: 'queueMicrotask', owner: globalThis, key: 'queueMicrotask' },
  { label: 'fetch', owner: globalThis, key: 'fetch' },
  { label: 'crypto.getRandomValues', owner: Crypto.prototype, key: 'getRandomValues' },
  { label: 'crypto.randomUUID', owner: Crypto.prototype, key: 'randomUUID' },
  { label: 'Promise.prototype.then', owner: Promise.prototype, key: 'then' },
];

/** The names of the doors `poisoned` closes, in the order they are closed. */
export const POISONED_DOORS: readonly string[] = [...DOORS.map(({ label }) => label), 'new Date()'];

/**
 * Runs `run` with every door to the real world replaced by a thrower, and opens them again whatever happens. Only for
 * synchronous runs: nothing else of the process runs meanwhile. References taken before (an imported `randomBytes`, say) and
 * `await` on a native promise escape it; an import test and the linter look for those.
 * @throws PoisonedError SIM_ASKED_REAL_WORLD out of `run`, from the caller that tried
 */
export const poisoned = <Result>(run: () => Result): Result => {
  const undo: (() => void)[] = [];
  try {
    for (const { label, owner, key } of DOORS) {
      const was = Object.getOwnPropertyDescriptor(owner, key);
      if (was === undefined) continue;
      Object.defineProperty(owner, key, {
        configurable: true,
        writable: true,
        value: () => {
          throw new PoisonedError(label);
        },
      });
      undo.push(() => Object.defineProperty(owner, key, was));
    }
    const RealDate = Date;
    // `new Date(0)` is arithmetic and stays; `new Date()` and the plain call `Date()` read the clock.
    const closed = new Proxy(RealDate, {
      construct: (target, args: unknown[], newTarget) => {
        if (args.length === 0) throw new PoisonedError('new Date()');
        return Reflect.construct(target, args, newTarget) as Date;
      },
      apply: () => {
        throw new PoisonedError('new Date()');
      },
    });
    globalThis.Date = closed;
    undo.push(() => {
      globalThis.Date = RealDate;
    });
    return run();
  } finally {
    for (const open of undo.reverse()) open();
  }
};
