const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first SIGINT or SIGTERM asks to stop in order, the second ends the process at once with 130 or 143. */
export const onSignals = (stop: () => void): void => {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(CODES[signal]);
      asked = true;
      stop();
    });
  }
};
