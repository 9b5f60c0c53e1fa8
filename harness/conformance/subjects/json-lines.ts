/** An adapter's conversation: each line of standard input is a request, each answer a line of standard output, with its id. */
import { createInterface } from 'node:readline';

/** Answers until standard input ends. @param answer of a request; may give an `id` of its own */
export const serveLines = <Request extends { readonly id: number }>(
  answer: (request: Request) => Readonly<Record<string, unknown>>,
): void => {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const request = JSON.parse(line) as Request;
    process.stdout.write(`${JSON.stringify({ id: request.id, ...answer(request) })}\n`);
  });
};
