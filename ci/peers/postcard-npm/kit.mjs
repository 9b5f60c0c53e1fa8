// What adapters of JavaScript codecs share: the JSON lines of the kit (harness/conformance/suites/postcard/README.md), and floats.
import { createInterface } from 'node:readline';

const scratch = new DataView(new ArrayBuffer(8));

/** Both ways between the bits of the kit and a number. */
export const float = (size) => ({
  from(bits) {
    scratch.setBigUint64(0, BigInt(bits));
    return size === 4 ? scratch.getFloat32(4) : scratch.getFloat64(0);
  },
  to(value) {
    if (size === 4) scratch.setFloat32(0, value);
    else scratch.setFloat64(0, value);
    const bits = size === 4 ? BigInt(scratch.getUint32(0)) : scratch.getBigUint64(0);
    return `0x${bits.toString(16).padStart(size * 2, '0')}`;
  },
});

/** Answers until stdin ends. */
export const serve = (answer) =>
  createInterface({ input: process.stdin }).on('line', (line) => {
    const request = JSON.parse(line);
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer(request) })}\n`);
  });
