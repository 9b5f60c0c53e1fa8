import { createConnection } from 'node:net';
import { AgentError, reasonOf } from '../agent-error.ts';

/**
 * Says lines to a running agent and hears its answers.
 * @returns a reply for each line; fewer when the agent stopped in between
 * @throws AgentError CONTROL_UNREACHABLE
 */
export const askAgent = (
  path: string,
  lines: readonly string[],
  heard: (reply: string) => void,
  millisMax: number,
): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const unreachable = (got: string, cause?: unknown): void =>
    reject(
      new AgentError({
        code: 'CONTROL_UNREACHABLE',
        where: path,
        expected: 'the control socket of a running agent',
        got,
        hint: 'is [plugins.socket-control] in its configuration? --socket names another path',
        cause,
      }),
    );
  let text = '';
  let replies = 0;
  const socket = createConnection({ path });
  socket.setTimeout(millisMax, () => {
    unreachable(`no answer within ${millisMax} ms`);
    socket.destroy();
  });
  socket.setEncoding('utf8');
  socket.on('connect', () => socket.end(lines.map((line) => `${line}\n`).join('')));
  socket.on('data', (chunk: string) => {
    text += chunk;
    const whole = text.split('\n');
    text = whole.pop() ?? '';
    for (const line of whole) {
      replies++;
      heard(line);
    }
  });
  socket.on('error', (error) => unreachable(reasonOf(error), error));
  socket.on('close', () => resolve(replies));
  return promise;
};
