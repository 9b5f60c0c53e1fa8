/** The socket as a file, its clients among each other, and replies where there are any. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { type ClientContext, clientCases } from '../../case.ts';
import { Agent, newPlace, startAt } from './controlled.ts';

const PAUSE = 'control source pause';
/** Listens at a path and dies, so that its socket stays. */
const LEAVES_A_SOCKET =
  'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';

const answers = async (
  it: ClientContext,
  lines: readonly string[],
  wanted: readonly RegExp[],
): Promise<void> => {
  const agent = await Agent.running(it);
  const end = await agent.dial();
  await end.send(`${lines.join('\n')}\n`);
  for (const [n, pattern] of wanted.entries()) {
    const reply = await end.line(`the reply to "${lines[n]}"`, 4_096);
    if (!pattern.test(reply)) it.broken(`${pattern} to "${lines[n]}"`, JSON.stringify(reply));
  }
  await end.expectSilence(300, 'after the last reply');
};

export const SOCKETS = clientCases(
  {
    name: 'conn/many',
    title: 'a hundred clients at once, half of them silent, keep nobody from being served',
    clause: 'SCTL-CONN-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const ends = await Promise.all(Array.from({ length: 100 }, (_, n) => agent.dial(`client-${n + 1}`)));
      for (const [n, end] of ends.entries())
        if (n % 2 === 0) await end.send(n % 4 === 0 ? 'control sou' : 'control source resume\n');
      await agent.obeys();
      await ends[98]?.send('control source resume\n');
      await agent.flows('the line of one of them');
    },
  },
  {
    name: 'conn/gone-at-once',
    title: 'two hundred clients that leave without a word harm nobody, and leave no descriptor',
    clause: 'SCTL-CONN-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const before = await agent.program.holdings();
      for (let n = 0; n < 200; n++) {
        const end = await agent.dial(`probe-${n + 1}`);
        if (n % 3 === 0) void end.send('control sou');
        end.reset();
      }
      await agent.obeys();
      await it.wait(500);
      const after = await agent.program.holdings();
      if (before !== undefined && after !== undefined && after.fds > before.fds + 8)
        it.broken(`${before.fds} descriptors again (at most 8 more)`, `${after.fds}`);
    },
  },
  {
    name: 'conn/half-a-line',
    title: 'half a line of one client is not joined with the line of another',
    clause: 'SCTL-LINE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const [one, other] = [await agent.dial('one'), await agent.dial('other')];
      await one.send('control source ');
      await it.wait(100);
      await other.send('pause\n');
      await it.wait(300);
      await agent.flows('the halves of two clients');
      await one.send('pause\n');
      await agent.rests('the other half of the first');
    },
  },
  {
    name: 'file/mode',
    title: 'the socket has mode 0600',
    clause: 'SCTL-FILE-1',
    needs: [],
    run: async (it) => {
      const agent = await Agent.running(it);
      const stat = lstatSync(agent.place.socket);
      if (!stat.isSocket()) it.broken('a socket', 'another file');
      const mode = (stat.mode & 0o777).toString(8);
      if (mode !== '600') it.broken('mode 600', mode);
    },
  },
  {
    name: 'file/stale',
    title: 'the socket of an agent that was killed is replaced',
    clause: 'SCTL-FILE-2',
    needs: [],
    run: async (it) => {
      const place = newPlace(it);
      spawnSync(process.execPath, ['-e', LEAVES_A_SOCKET, place.socket]);
      if (!lstatSync(place.socket).isSocket()) return it.unclear('no stale socket could be made');
      await (await Agent.running(it, place)).obeys();
    },
  },
  {
    name: 'file/after-kill',
    title: 'an agent starts again after SIGKILL, at the same path',
    clause: 'SCTL-FILE-2',
    needs: [],
    run: async (it) => {
      const first = await Agent.running(it);
      first.program.signal('SIGKILL');
      await first.program.exit();
      await (await Agent.running(it, { ...newPlace(it), socket: first.place.socket })).obeys();
    },
  },
  {
    name: 'file/not-ours',
    title: 'a regular file at the path stays as it is',
    clause: 'SCTL-FILE-3',
    needs: [],
    run: async (it) => {
      const place = newPlace(it);
      writeFileSync(place.socket, 'precious');
      const program = await startAt(it, place);
      // whether it starts without a socket or ends is its own affair: it has had its time when it does either
      for (
        let n = 0;
        n < 100 && program.running && !(lstatSync(place.output, { throwIfNoEntry: false })?.size ?? 0);
        n++
      )
        await it.wait(50);
      await it.wait(300);
      it.observe(
        program.running ? 'it runs without a socket' : `it ended with exit code ${await program.exit()}`,
      );
      const stat = lstatSync(place.socket, { throwIfNoEntry: false });
      if (stat?.isFile() !== true)
        it.broken('the file that was there', stat === undefined ? 'none' : 'another kind of file');
      else if (readFileSync(place.socket, 'utf8') !== 'precious') it.broken('"precious"', 'other contents');
    },
  },
  {
    name: 'file/live',
    title: "a second agent does not take a live one's socket",
    clause: 'SCTL-FILE-3',
    needs: [],
    run: async (it) => {
      const first = await Agent.running(it);
      const place = { ...newPlace(it), socket: first.place.socket };
      const second = await startAt(it, place);
      for (
        let n = 0;
        n < 100 && second.running && !(lstatSync(place.output, { throwIfNoEntry: false })?.size ?? 0);
        n++
      )
        await it.wait(50);
      await it.wait(300);
      it.observe(
        second.running ? 'the second runs' : `the second ended with exit code ${await second.exit()}`,
      );
      await first.obeys();
    },
  },
  {
    name: 'reply/ok',
    title: 'commands are answered by ok, one line each, in order',
    clause: 'SCTL-REPLY-1',
    needs: ['replies'],
    run: (it) =>
      answers(it, [PAUSE, 'control source resume', 'control source/nope/* pause'], [/^ok$/, /^ok$/, /^ok$/]),
  },
  {
    name: 'reply/error',
    title: 'anything else is answered by an error with a reason, and the connection stays',
    clause: 'SCTL-REPLY-1',
    needs: ['replies'],
    run: (it) =>
      answers(
        it,
        ['hello', '', PAUSE, 'control * stop', '\u00ff\u00fe', PAUSE],
        [/^error: ./, /^error: ./, /^ok$/, /^error: ./, /^error: ./, /^ok$/],
      ),
  },
  {
    name: 'reply/shutdown',
    title: 'shutdown is answered by ok before the end',
    clause: 'SCTL-REPLY-1',
    needs: ['replies'],
    run: async (it) => {
      const agent = await Agent.running(it);
      const end = await agent.dial();
      await end.send('shutdown\n');
      const reply = await end.rest('the reply', 64);
      if (reply.toString() !== 'ok\n') it.broken('"ok" and FIN', JSON.stringify(reply.toString()));
    },
  },
);
