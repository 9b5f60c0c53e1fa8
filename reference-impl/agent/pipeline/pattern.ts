/** What a pattern of socket control selects: `kind/plugin/element`, each name exact or with one asterisk at an end. */

export type ElementKind = 'source' | 'transform' | 'output';

export type NamePattern = {
  readonly type: 'any' | 'prefix' | 'suffix' | 'exact';
  readonly text: string;
};

export type Pattern = {
  readonly kind: ElementKind | 'any';
  readonly plugin: NamePattern;
  readonly element: NamePattern;
};

export const ANY_NAME: NamePattern = { type: 'any', text: '' };

/** @returns undefined when the text is empty or has an asterisk elsewhere than at one end */
export const namePattern = (text: string): NamePattern | undefined => {
  if (text === '') return undefined;
  if (text === '*') return ANY_NAME;
  const pattern: NamePattern = text.endsWith('*')
    ? { type: 'prefix', text: text.slice(0, -1) }
    : text.startsWith('*')
      ? { type: 'suffix', text: text.slice(1) }
      : { type: 'exact', text };
  return pattern.text.includes('*') ? undefined : pattern;
};

export const matchesName = ({ type, text }: NamePattern, name: string): boolean => {
  switch (type) {
    case 'any':
      return true;
    case 'exact':
      return name === text;
    case 'prefix':
      return name.startsWith(text);
    case 'suffix':
      return name.endsWith(text);
  }
};

const LONG_SPELLING = 'plugin-';

/** The socket-control document writes `plugin-procfs` for `procfs`: both mean it. */
const matchesPlugin = (pattern: NamePattern, plugin: string): boolean =>
  matchesName(pattern, plugin) ||
  (pattern.text.startsWith(LONG_SPELLING) && matchesName(pattern, `${LONG_SPELLING}${plugin}`));

/** @param name `plugin/element`; what follows the first slash is the element's own name */
export const matches = (pattern: Pattern, kind: ElementKind, name: string): boolean => {
  const slash = name.indexOf('/');
  return (
    (pattern.kind === 'any' || pattern.kind === kind) &&
    matchesPlugin(pattern.plugin, name.slice(0, slash)) &&
    matchesName(pattern.element, name.slice(slash + 1))
  );
};

/** What may be told to an element. */
export type Action =
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }
  | { readonly type: 'set-period'; readonly periodMillis: number }
  | { readonly type: 'trigger-now' };
