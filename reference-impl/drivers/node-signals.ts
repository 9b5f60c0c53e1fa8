import process from 'node:process';

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof CODES;

/** A terminal sends ^C to every process before it, and npm and whoever starts us pass theirs on: what comes so soon is the same one. */
const ECHO_MILLIS = 500;

/**
 * What a program does on signals: the first SIGINT or SIGTERM asks it to stop in order, a later one ends it at once with 130 or 143.
 * @param reload on SIGHUP, which ends the program by default
 */
export const onSignals = ({
  stop,
  reload,
}: {
  readonly stop: (signal: StopSignal) => void;
  readonly reload?: () => void;
}): void => {
  let askedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        stop(signal);
      } else if (performance.now() - askedAt > ECHO_MILLIS) process.exit(CODES[signal]);
    });
  if (reload !== undefined) process.on('SIGHUP', reload);
};
