/** Run under --disallow-code-generation-from-strings: encodes and decodes with closures and with an emitted module (argument). */
import { compile, p, type SafeResult } from '../src/index.ts';

const Point = p.struct({ id: p.u64, name: p.str, tags: p.seq(p.option(p.u8)) });
const value = { id: 2 ** 40, name: 'é', tags: [1, null] };
const automatic = compile(Point);
const emitted = (await import(process.argv[2] as string)).Point;
const pathOf = (result: SafeResult<unknown>): string => (result.ok ? '' : result.error.path);
let refused = '';
try {
  compile(Point, { mode: 'compiled' });
} catch (error) {
  refused = (error as { kind: string }).kind;
}
console.log(
  JSON.stringify({
    modes: [automatic.mode, emitted.mode],
    values: [automatic.decode(emitted.encode(value)), emitted.decode(automatic.encode(value))],
    refused,
    path: pathOf(automatic.safeDecode(Uint8Array.of(1))),
    emittedPath: pathOf(emitted.safeDecode(Uint8Array.of(1, 0, 1, 2))),
  }),
);
