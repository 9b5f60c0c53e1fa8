import { AgentError } from '../agent-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where in TOML a `${` stands decides what may come in its place. */
type Place = 'plain' | 'comment' | '"' | "'" | '"""' | "'''";

/** A value outside quotes may be a number, a boolean, a date: nothing that could begin a new key. */
const PLAIN_VALUE = /^[A-Za-z0-9_+.:-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: just these may not stand in a literal string
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Replaces `${VAR}` by the environment variable before the text is read as TOML: in strings of every kind and for bare values, not in
 * comments. `\${VAR}` stays, without its backslash; `$VAR` means nothing. The value is only ever a value: it cannot end the
 * string it stands in.
 * @param file for messages
 * @throws AgentError CONFIG_VARIABLE with file and line: unset, not closed, or not possible at that place
 */
export const substitute = (text: string, environment: Environment, file: string): string => {
  let place: Place = 'plain';
  let out = '';
  let at = 0;

  const refuse = (got: string, hint: string): never => {
    throw new AgentError({
      code: 'CONFIG_VARIABLE',
      where: `${file}:${text.slice(0, at).split('\n').length}`,
      expected: `\${VAR} with the name of an environment variable that is set`,
      got,
      hint,
    });
  };
  const valueAt = (): string => {
    const end = text.slice(at).search(/[}\n]/);
    const name = end < 0 ? '' : text.slice(at + 2, at + end);
    if (end < 0 || text[at + end] !== '}')
      return refuse(`\${ without a } on its line`, `close it, or write \\\${`);
    const value = name === '' ? undefined : environment[name];
    if (value === undefined)
      return refuse(
        `\${${name}}, which is not set`,
        `set ${name === '' ? 'it' : name}, or write \\\${${name}}`,
      );
    at += end + 1;
    return value;
  };
  const asWritten = (value: string): string => {
    switch (place) {
      case '"':
      case '"""':
        return JSON.stringify(value).slice(1, -1);
      case "'":
      case "'''":
        return value.includes("'") || CONTROL.test(value)
          ? refuse('a value that cannot stand in single quotes', 'use double quotes around it')
          : value;
      case 'plain':
      case 'comment':
        return PLAIN_VALUE.test(value)
          ? value
          : refuse('a value that cannot stand without quotes', 'put it into double quotes');
    }
  };

  while (at < text.length) {
    const next = text.slice(at, at + 3);
    if (place === 'comment') {
      if (next.startsWith('\n')) place = 'plain';
    } else if (next === '\\${' && place !== 'plain') {
      out += '${';
      at += 3;
      continue;
    } else if (next.startsWith('${')) {
      out += asWritten(valueAt());
      continue;
    } else if (place === 'plain') {
      if (next.startsWith('#')) place = 'comment';
      const quote = (['"""', "'''", '"', "'"] as const).find((each) => next.startsWith(each));
      if (quote !== undefined) {
        place = quote;
        out += quote;
        at += quote.length;
        continue;
      }
    } else if (next.startsWith('\\') && place.startsWith('"')) {
      out += next.slice(0, 2);
      at += 2;
      continue;
    } else if (next.startsWith(place)) {
      out += place;
      at += place.length;
      place = 'plain';
      continue;
    } else if (next.startsWith('\n') && place.length === 1) place = 'plain';
    out += text[at];
    at++;
  }
  return out;
};
