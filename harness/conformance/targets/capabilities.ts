/**
 * What a target says about itself in `relaylab.conformance.json`: what it lacks is not applicable, never silently skipped, and
 * its limits and time scale make the numbers of clauses its own.
 */
import { unknownName } from '../nearest.ts';

export type Capabilities = {
  /** By name; what is not named holds. `{ "event": false }` */
  readonly has: (name: string) => boolean;
  /** Declared limits by name, `lineBytes` for instance; undefined: not declared. */
  readonly limit: (name: string) => number | undefined;
  /** Times of the target are this much longer than the clauses say (0.05: a 60 s timeout is 3 s). Default 1. */
  readonly timeScale: number;
  /** The profile it is said for; undefined: any. */
  readonly profile?: string;
};

/** The file's shape. Unknown keys are errors. */
export type CapabilityFile = {
  readonly profile?: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly timeScale?: number;
};

export const EVERYTHING: Capabilities = { has: () => true, limit: () => undefined, timeScale: 1 };

const KEYS = ['profile', 'capabilities', 'limits', 'timeScale'];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param known what the profile's targets may declare
 * @param forProfile what is said for another one is not looked at: the result names that one and declares nothing
 * @throws Error naming the key, what was expected there and what stood there
 */
export const readCapabilities = (
  text: string,
  file: string,
  known: readonly string[],
  forProfile?: string,
): Capabilities => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`);
  }
  if (!isRecord(parsed)) throw new Error(`${file}: expected an object, got ${typeof parsed}`);
  for (const key of Object.keys(parsed))
    if (!KEYS.includes(key)) throw new Error(`${file}: ${unknownName('key', key, KEYS)}`);
  const { profile, capabilities = {}, limits = {}, timeScale = 1 } = parsed;
  if (profile !== undefined && typeof profile !== 'string')
    throw new Error(`${file}: profile: expected a text, got ${JSON.stringify(profile)}`);
  if (profile !== undefined && forProfile !== undefined && profile !== forProfile)
    return { ...EVERYTHING, profile };
  if (!isRecord(capabilities)) throw new Error(`${file}: capabilities: expected an object of true and false`);
  for (const [name, value] of Object.entries(capabilities)) {
    if (!known.includes(name)) throw new Error(`${file}: ${unknownName('capability', name, known)}`);
    if (typeof value !== 'boolean')
      throw new Error(`${file}: capabilities.${name}: expected true or false, got ${JSON.stringify(value)}`);
  }
  if (!isRecord(limits)) throw new Error(`${file}: limits: expected an object of numbers`);
  for (const [name, value] of Object.entries(limits))
    if (typeof value !== 'number' || !(value > 0))
      throw new Error(`${file}: limits.${name}: expected a number above 0, got ${JSON.stringify(value)}`);
  if (typeof timeScale !== 'number' || !(timeScale > 0 && timeScale <= 10))
    throw new Error(
      `${file}: timeScale: expected a number above 0 and up to 10, got ${JSON.stringify(timeScale)}`,
    );
  return {
    has: (name) => capabilities[name] !== false,
    limit: (name) => (typeof limits[name] === 'number' ? limits[name] : undefined),
    timeScale,
    ...(profile === undefined ? {} : { profile }),
  };
};
