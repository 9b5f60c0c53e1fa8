/** How something of the identity relay is spoiled for the rest of a process: the code itself has no switches. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

type MethodOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];
type ArgsOf<F> = F extends (...args: infer Args) => unknown ? Args : never;
type ResultOf<F> = F extends (...args: never[]) => infer Result ? Result : never;
/** A method as a function of its object. */
type Of<T, F> = (self: T, ...args: ArgsOf<F>) => ResultOf<F>;

/**
 * Puts a spoiled method in the place of a class's own, for every object of it.
 * @param make is given the right one
 */
export const spoil = <T extends object, K extends MethodOf<T>>(
  type: { readonly prototype: T },
  name: K,
  make: (right: Of<T, T[K]>) => Of<T, T[K]>,
): void => {
  const own = type.prototype[name] as (...args: unknown[]) => unknown;
  const spoiled = make((self, ...args) => own.apply(self, args) as ResultOf<T[K]>);
  Object.defineProperty(type.prototype, name, {
    configurable: true,
    value(this: T, ...args: ArgsOf<T[K]>) {
      return spoiled(this, ...args);
    },
  });
};

/** Puts something else in the place of functions of node:crypto, wherever they were imported. */
export const spoilCrypto = (changes: Partial<typeof crypto>): void => {
  Object.assign(crypto, changes);
  syncBuiltinESMExports();
};

/** What no code of ours expects: it ends the process. */
export const panic = (why: string): never => {
  throw new RangeError(`panic: ${why}`);
};
