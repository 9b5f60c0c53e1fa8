import { parse, TomlError } from 'smol-toml';
import { AgentError } from '../agent-error.ts';
import { isTable, type TomlTable } from './config-table.ts';

/** @param where file, option or table the text comes from, for messages @throws AgentError CONFIG_TOML, which never shows the line itself: it may hold a secret */
export const readToml = (text: string, where: string): TomlTable => {
  try {
    return parse(text) as TomlTable;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new AgentError({
      code: 'CONFIG_TOML',
      where: `${where}:${error.line}:${error.column}`,
      expected: 'TOML',
      got: `something else (${reason})`,
      hint: 'correct it there',
    });
  }
};

/** Both tables in one: what `over` says wins, tables are merged key by key, lists are replaced. */
export const merged = (under: TomlTable, over: TomlTable): TomlTable => {
  const out: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(under, key) ? under[key] : undefined;
    out[key] = isTable(value) && isTable(below) ? merged(below, value) : value;
  }
  return out;
};
