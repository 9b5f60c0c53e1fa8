import { PostcardError } from '../src/index.ts';

/** The PostcardError that something is refused with. @throws whatever else was thrown, or an Error if nothing was */
export const refusalOf = (run: () => unknown): PostcardError => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PostcardError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
};
