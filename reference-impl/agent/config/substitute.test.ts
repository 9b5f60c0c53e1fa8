import t from 'tap';
import { AgentError } from '../agent-error.ts';
import { substitute } from './substitute.ts';

const ENVIRONMENT = {
  NODE_NAME: 'node-7',
  QUOTE: 'a"b\\c\nd',
  APOSTROPHE: "it's",
  N: '42',
  EVIL: '1\n[plugins.csv]',
  EMPTY: '',
};
const V = (name: string): string => `\${${name}}`;

const REPLACED: readonly (readonly [what: string, text: string, out: string])[] = [
  ['in a basic string', `a = "${V('NODE_NAME')}"`, 'a = "node-7"'],
  ['twice', `a = "${V('N')}${V('N')}"`, 'a = "4242"'],
  ['in a literal string', `a = '${V('NODE_NAME')}'`, "a = 'node-7'"],
  ['in long strings', `a = """\n${V('N')}\n"""\nb = '''${V('N')}'''`, 'a = """\n42\n"""\nb = \'\'\'42\'\'\''],
  ['as a bare number', `n = ${V('N')} # of them`, 'n = 42 # of them'],
  ['escaped for the string it stands in', `a = "${V('QUOTE')}"`, 'a = "a\\"b\\\\c\\nd"'],
  ['an empty one', `a = "${V('EMPTY')}"`, 'a = ""'],
  ['not when a backslash stands before it', `a = "\\${V('NODE_NAME')}"`, `a = "${V('NODE_NAME')}"`],
  ['nor in a literal string', `a = '\\${V('NODE_NAME')}'`, `a = '${V('NODE_NAME')}'`],
  ['but behind an escaped backslash', `a = "\\\\${V('N')}"`, 'a = "\\\\42"'],
  ['not without braces', 'a = "$NODE_NAME $$ $"', 'a = "$NODE_NAME $$ $"'],
  ['not in a comment', `# here "${V('NOT_SET')}"\na = 1`, `# here "${V('NOT_SET')}"\na = 1`],
  ['a hash in a string begins no comment', `a = "#${V('N')}"`, 'a = "#42"'],
  ['quotes of the other kind end nothing', `a = "'${V('N')}'"`, 'a = "\'42\'"'],
  ['an escaped quote ends nothing', `a = "\\"${V('N')}"`, 'a = "\\"42"'],
];

t.test('a variable is replaced', async (t) => {
  for (const [what, text, out] of REPLACED) t.equal(substitute(text, ENVIRONMENT, 'f'), out, what);
});

const REFUSED: readonly (readonly [what: string, text: string, where: string, got: RegExp])[] = [
  ['unset', `\n\na = "${V('NOT_SET')}"`, 'f:3', /NOT_SET.*not set/],
  ['without a name', `a = "${V('')}"`, 'f:1', /not set/],
  ['not closed', 'a = "$' + '{NODE"', 'f:1', /without a }/],
  ['closed on another line', 'a = """$' + '{NODE\n}"""', 'f:1', /without a }/],
  ['a quote in a literal string', `a = '${V('APOSTROPHE')}'`, 'f:1', /single quotes/],
  ['more than a value outside quotes', `n = ${V('EVIL')}`, 'f:1', /without quotes/],
];

t.test('what cannot be replaced is refused with its line, and its value is not told', async (t) => {
  for (const [what, text, where, got] of REFUSED) {
    try {
      substitute(text, ENVIRONMENT, 'f');
      t.fail(what);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      t.equal(error.code, 'CONFIG_VARIABLE', what);
      t.equal(error.where, where, what);
      t.match(error.got, got, what);
      t.notMatch(error.message, /plugins\.csv|it's/, what);
    }
  }
});
