/** Fresh names for generated code: a letter and digits, so no keyword. User's names only appear inside string literals. */
export class Names {
  #last = 0;
  next(prefix: string): string {
    return `${prefix}${this.#last++}`;
  }
}

/** A property read: the same bytecode as `.key`, and safe for every name. */
export const property = (object: string, key: string): string => `${object}[${JSON.stringify(key)}]`;

/** A key of an object literal; plain `"__proto__": x` would set the prototype. */
export const literalKey = (key: string): string =>
  key === '__proto__' ? '["__proto__"]' : JSON.stringify(key);

/** Enums with more variants than this look unit variants up in a table instead of one case each. */
export const CASES_MAX = 64;
