import { nearestHint } from '../config/nearest.ts';
import { millisOf, readDuration } from '../duration.ts';
import {
  type Action,
  ANY_NAME,
  type ElementKind,
  type NamePattern,
  namePattern,
  type Pattern,
} from '../pipeline/pattern.ts';

/** A line of socket control, understood. */
export type Command =
  | { readonly type: 'shutdown' }
  | { readonly type: 'control'; readonly pattern: Pattern; readonly action: Action };

/** `why`: what is wrong with the line and what would be right, one line of text. */
export type CommandRead = Command | { readonly type: 'invalid'; readonly why: string };

type Invalid = Extract<CommandRead, { readonly type: 'invalid' }>;
const invalid = (why: string): Invalid => ({ type: 'invalid', why });

const KINDS: Readonly<Record<string, ElementKind | 'any'>> = {
  source: 'source',
  sources: 'source',
  src: 'source',
  transform: 'transform',
  transforms: 'transform',
  tra: 'transform',
  output: 'output',
  outputs: 'output',
  out: 'output',
  '*': 'any',
  all: 'any',
  any: 'any',
};

const PLAIN: Readonly<Record<string, Action>> = {
  pause: { type: 'pause' },
  disable: { type: 'pause' },
  resume: { type: 'resume' },
  enable: { type: 'resume' },
  stop: { type: 'stop' },
  'trigger-now': { type: 'trigger-now' },
};
const PERIOD = new Set(['set-period', 'set-poll-interval']);
const ARGUMENTS = [...Object.keys(PLAIN), ...PERIOD];

const WORDS = /[ \t]+/;

const own = <Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

const readName = (text: string): NamePattern | Invalid => {
  if (text === '')
    return invalid("bad pattern: '': invalid pattern: the string is empty; write * for any name");
  return (
    namePattern(text) ??
    invalid(
      `bad pattern: '${text}': invalid pattern: asterisk '*' in the middle of the string; one may stand at its beginning or its end`,
    )
  );
};

const readPattern = (text: string): Pattern | Invalid => {
  const [kindText = '', plugin, ...rest] = text.split('/');
  const kind = own(KINDS, kindText);
  if (kind === undefined)
    return invalid(
      `bad kind: '${kindText}': invalid element kind; ${nearestHint(kindText, ['source', 'transform', 'output', '*'])}`,
    );
  if (plugin === undefined) return { kind, plugin: ANY_NAME, element: ANY_NAME };
  if (rest.length === 0)
    return invalid(
      `bad pattern, expected kind/plugin/element but got '${text}'; for instance ${kindText}/${plugin === '' ? '*' : plugin}/*`,
    );
  const pluginName = readName(plugin);
  if (isInvalid(pluginName)) return pluginName;
  const element = readName(rest.join('/'));
  return isInvalid(element) ? element : { kind, plugin: pluginName, element };
};

const isInvalid = (read: { readonly type?: string }): read is Invalid => read.type === 'invalid';

const readAction = (words: readonly string[], line: string): Action | Invalid => {
  const [word = '', argument, ...more] = words;
  const refused = (why: string): Invalid => invalid(`invalid command '${line}': ${why}`);
  if (PERIOD.has(word)) {
    if (argument === undefined)
      return refused(`invalid command; ${word} wants a duration, for instance ${word} 1s`);
    if (more.length > 0)
      return refused(`invalid command; ${word} wants a duration in one word, for instance ${word} 1s500ms`);
    const read = readDuration(argument);
    if (read.type === 'invalid') return refused(`${read.why}; a duration looks like 500ms or 1s500ms`);
    if (read.nanos === 0n) return refused('the period must be more than zero, for instance 100ms');
    return { type: 'set-period', periodMillis: millisOf(read.nanos) };
  }
  const action = own(PLAIN, word);
  if (action === undefined) return refused(`invalid command; ${nearestHint(word, ARGUMENTS)}`);
  if (argument !== undefined) return refused(`invalid command; nothing may follow ${word}`);
  return action;
};

/** What an action asks of the kind it is told to; undefined: nothing. */
const wrongKind = ({ type }: Action, kind: Pattern['kind'], word: string): string | undefined => {
  if (type === 'stop' && kind !== 'source' && kind !== 'output')
    return `invalid control '${word}': it can only be applied to sources and outputs; name the kind: source or output`;
  if ((type === 'set-period' || type === 'trigger-now') && kind !== 'source')
    return `invalid control '${word}': it can only be applied to sources; name the kind: source`;
  return undefined;
};

/**
 * Reads one line, without its end. Words are separated by spaces and tabs, also before and after; case matters; words after
 * `shutdown` and `stop` are ignored. Reasons begin as Alumet's log has them. Source: the socket-control document.
 */
export const readCommand = (text: string): CommandRead => {
  const line = text.replace(/^[ \t]+|[ \t]+$/g, '');
  if (line === '') return invalid("the line is empty; available commands are 'shutdown' or 'control'");
  const [command = '', selector, ...words] = line.split(WORDS);
  if (command === 'shutdown' || command === 'stop') return { type: 'shutdown' };
  if (command !== 'control')
    return invalid(`unknown command '${line}'; available commands are 'shutdown' or 'control'`);
  if (selector === undefined)
    return invalid(
      `invalid command '${line}': missing argument 'selector'; for instance control source pause`,
    );
  if (words.length === 0)
    return invalid(
      `invalid command '${line}': missing arguments after the selector; there is ${ARGUMENTS.join(', ')}`,
    );
  const pattern = readPattern(selector);
  if ('type' in pattern) return pattern;
  const action = readAction(words, line);
  if (isInvalid(action)) return action;
  const wrong = wrongKind(action, pattern.kind, words[0] ?? '');
  return wrong === undefined
    ? { type: 'control', pattern, action }
    : invalid(`invalid command '${line}': ${wrong}`);
};
