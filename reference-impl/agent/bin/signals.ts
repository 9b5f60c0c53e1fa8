const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** A terminal sends ^C to every process before it, and npm and whoever starts us pass theirs on: what comes so soon is the same one. */
const ECHO_MILLIS = 500;

/** The first SIGINT or SIGTERM asks to stop in order, a later one ends the process at once with 130 or 143; SIGHUP asks to reload. */
export const onSignals = ({
  stop,
  reload,
}: {
  readonly stop: (signal: 'SIGINT' | 'SIGTERM') => void;
  readonly reload: () => void;
}): void => {
  let askedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        stop(signal);
      } else if (performance.now() - askedAt > ECHO_MILLIS) process.exit(CODES[signal]);
    });
  }
  process.on('SIGHUP', reload);
};
