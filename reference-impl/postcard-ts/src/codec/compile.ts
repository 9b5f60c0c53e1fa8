import { CALLABLE } from '../generate/callable.ts';
import { type CodecFunctions, codecSource } from '../generate/source.ts';
import type { Schema } from '../schema/schema.ts';
import { badSchema } from '../wire/refusal.ts';
import { assemble } from './assemble.ts';
import type { Codec } from './codec.ts';
import { type CodecOptions, type Settings, settingsOf } from './options.ts';

const generated = <T>(schema: Schema<T>, settings: Settings): CodecFunctions => {
  const source = codecSource(schema.node, settings.limits, settings.firstChar);
  return new Function('H', source)(CALLABLE) as CodecFunctions;
};

const isEvalAllowed = (): boolean => {
  try {
    return new Function('return true')() === true;
  } catch {
    return false;
  }
};

/**
 * Whether a mode generates code here: a Content-Security-Policy, or a flag of Node's, may forbid it.
 * @throws PostcardError BadSchema where it is forbidden and was asked for
 */
export const mayGenerate = (mode: CodecOptions['mode'] = 'auto'): boolean => {
  if (mode === 'no-eval') return false;
  const allowed = isEvalAllowed();
  if (mode === 'compiled' && !allowed)
    throw badSchema(
      'mode',
      "a platform that allows `new Function`, or mode 'no-eval'",
      'one that forbids it',
    );
  return allowed;
};

/**
 * Makes the codec of a schema.
 * @throws PostcardError BadSchema for endless types, impossible limits, or `mode: 'compiled'` where code generation is forbidden
 */
export const compile = <T>(schema: Schema<T>, options: CodecOptions = {}): Codec<T> => {
  const settings = settingsOf(options);
  return mayGenerate(options.mode)
    ? assemble<T>(schema.node, settings, generated(schema, settings), 'compiled')
    : assemble<T>(schema.node, settings, undefined, 'no-eval');
};
