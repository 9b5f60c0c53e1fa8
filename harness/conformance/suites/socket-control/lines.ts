/** Lines: where they begin and end, and those that are no command. */
import { type ClientContext, clientCases } from '../../case.ts';
import { Agent } from './controlled.ts';

const PAUSE = 'control source pause';

/** None of these is a command, by subject. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  words: ['hello', 'help', 'status', 'CONTROL source pause', 'pause', 'pause source', 'control'],
  kinds: ['control foo pause', 'control so*rce pause', 'control SOURCE pause', 'control sourc pause'],
  patterns: [
    'control source/a pause',
    'control source//memory pause',
    'control source/procfs/ pause',
    'control source/pr*fs/memory pause',
    'control source/**/memory pause',
  ],
  arguments: [
    'control source',
    'control source restart',
    'control source PAUSE',
    'control source pause now',
    'control source set-period',
    'control source set-period 1 h',
  ],
  durations: [
    'control source set-period abc',
    'control source set-period 1',
    'control source set-period -1h',
    'control source set-period 1H',
  ],
  'not-for-all': [
    'control transform stop',
    'control output set-period 1h',
    'control * set-period 1h',
    'control * stop',
  ],
};

/** Lines after which points go on and a command is obeyed. */
const harmless = (name: string, title: string, lines: readonly (string | Uint8Array)[]) => ({
  name: `bad/${name}`,
  title,
  clause: 'SCTL-LINE-3',
  needs: [],
  run: async (it: ClientContext) => {
    const agent = await Agent.running(it);
    for (const line of lines) {
      await agent.say(line);
      await agent.flows(typeof line === 'string' ? JSON.stringify(line) : Buffer.from(line).toString('hex'));
    }
    await agent.flows('all of them', 'kernel');
    await agent.obeys();
  },
});

export const LINES = clientCases(
  {
    name: 'line/as-socat-does',
    title: 'a client that writes a line, ends its side and is gone is obeyed',
    clause: 'SCTL-LINE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const end = await agent.dial();
      await end.send(`${PAUSE}\n`);
      end.end();
      await agent.rests('a line and FIN');
    },
  },
  {
    name: 'line/byte-by-byte',
    title: 'a line in single bytes is one line',
    clause: 'SCTL-LINE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await (await agent.dial()).sendSliced(`${PAUSE}\n`, 1);
      await agent.rests('a line in single bytes');
    },
  },
  {
    name: 'line/not-before-its-end',
    title: 'a line is no command before it ends',
    clause: 'SCTL-LINE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const end = await agent.dial();
      await end.send(PAUSE);
      await it.wait(500);
      await agent.flows('a line without its end');
      await end.send('\n');
      await agent.rests('its end');
    },
  },
  {
    name: 'line/several-at-once',
    title: 'several lines in one write are obeyed in order',
    clause: 'SCTL-LINE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const end = await agent.dial();
      await end.send(`${PAUSE}\ncontrol source resume\n${PAUSE}\n`);
      await agent.rests('pause, resume, pause');
      await end.send('control source resume\n');
      await agent.flows('resume on the same connection');
    },
  },
  ...Object.entries({
    crlf: `${PAUSE}\r\n`,
    tabs: 'control\tsource\tpause\n',
    blanks: '   control   source  pause  \n',
  }).map(([name, line]) => ({
    name: `line/${name}`,
    title: `${JSON.stringify(line)} is a command`,
    clause: 'SCTL-LINE-2',
    needs: [],
    run: async (it: ClientContext) => {
      const agent = await Agent.running(it);
      await agent.say(Buffer.from(line));
      await agent.rests(JSON.stringify(line));
    },
  })),
  {
    name: 'line/ended-by-fin',
    title: 'a last line without an end is a command when its client ends',
    clause: 'SCTL-LINE-2',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const end = await agent.dial();
      await end.send(PAUSE);
      end.end();
      await agent.rests('a line and FIN, without a newline');
    },
  },
  {
    name: 'line/good-before-bad',
    title: 'lines before one that is no command stay in force',
    clause: 'SCTL-LINE-3',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      await (await agent.dial()).send(`${PAUSE}\nnonsense\n`);
      await agent.rests('a good line before a bad one');
    },
  },
  ...Object.entries(BAD).map(([name, lines]) =>
    harmless(name, `lines that are no command (${name.replaceAll('-', ' ')}) change nothing`, lines),
  ),
  harmless('empty', 'empty lines change nothing', ['', ' ', '\t', '\r']),
  harmless('bytes', 'lines that are no text change nothing', [
    Buffer.from([0xff, 0xfe, 0x0a]),
    Buffer.from('control source\0 pause\n'),
    Buffer.from('control\u00a0source pause\n'),
    Buffer.from([0, 0, 0, 0x0a]),
  ]),
  harmless('period-of-zero', 'a period of zero changes nothing', [
    'control source set-period 0s',
    'control source set-period 0',
  ]),
  {
    name: 'bad/period-of-ages',
    title: 'a period of 2^64-1 seconds does not end a source: a shorter one brings it back',
    clause: 'SCTL-LINE-3',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const { reply } = await agent.say('control source set-period 18446744073709551615s');
      if (reply !== '') it.observe(`answered ${JSON.stringify(reply)}`);
      await it.wait(300);
      await agent.say('control source set-period 40ms');
      await agent.flows('a shorter period');
      await agent.obeys();
    },
  },
  {
    name: 'bad/told',
    title: 'whoever sends what is no command is told, by a reply or the end of the connection',
    clause: 'SCTL-LINE-4',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      for (const line of Object.values(BAD).flat()) {
        const end = await agent.dial();
        await end.send(`${line}\n`);
        const { reply, ended } = await agent.told(end);
        if (!ended && reply === '') {
          it.blameMachine(1_000, 'a reply');
          it.broken(`a reply or the end of the connection after "${line}"`, 'neither');
        }
        if (/^ok\b/.test(reply)) it.broken(`an error after "${line}"`, JSON.stringify(reply));
        end.close();
      }
    },
  },
  {
    name: 'line/without-end',
    title: '256 MiB without a newline are not kept, and cost nobody his command',
    clause: 'SCTL-LINE-5',
    needs: [],
    alone: 'machine',
    run: async (it) => {
      const agent = await Agent.running(it);
      const before = await agent.program.holdings();
      const end = await agent.dial('endless');
      const piece = Buffer.alloc(1_048_576, 'a');
      for (let n = 0; n < 256 && end.ended === 'open'; n++)
        await Promise.race([end.send(piece), it.wait(1_000)]);
      await it.wait(500);
      const after = await agent.program.holdings();
      it.closed(end.ended === 'open' ? 'left open' : 'in order');
      await agent.obeys();
      if (before === undefined || after === undefined) return;
      const grown = (after.rssBytes - before.rssBytes) / 1_048_576;
      it.observe(`memory grew by ${grown.toFixed(1)} MiB`);
      if (grown > 128) it.broken('at most 128 MiB more memory', `${grown.toFixed(1)} MiB`);
    },
  },
);
