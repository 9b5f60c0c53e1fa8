/** How a relay answers the first lines of a connection. */
import { serverCases } from '../../case.ts';
import { newEvent, newPool, nextId, portLine } from './registered.ts';

const MODES = ['pool', 'event', 'multiplex'] as const;
const REGISTER = { pool: 'pool\nnew\n', event: 'event\nnew\n', multiplex: 'multiplex\n' } as const;

export const REGISTRATION = serverCases(
  {
    name: 'reg/client-speaks-first',
    title: 'a relay says nothing before the first line',
    clause: 'PORT-CTRL-1',
    needs: [],
    run: async (it) => {
      const control = await it.dial('control');
      await control.expectSilence(500, 'before the first line of the client');
    },
  },
  ...MODES.map((mode) => ({
    name: `reg/port-line-${mode}`,
    title: `${mode} is answered with a public port in plain decimal that takes users`,
    clause: 'PORT-CTRL-2',
    needs: [mode],
    run: async (it: Parameters<typeof newPool>[0]) => {
      const control = await it.dial('control');
      await control.send(REGISTER[mode]);
      const port = await portLine(it, control);
      await it.dialPort(port, 'user');
    },
  })),
  ...MODES.map((mode) => ({
    name: `reg/one-byte-segments-${mode}`,
    title: `${mode} registers also when every byte comes in a segment of its own`,
    clause: 'PORT-CTRL-4',
    needs: [mode],
    run: async (it: Parameters<typeof newPool>[0]) => {
      const control = await it.dial('control');
      await control.sendSliced(REGISTER[mode], 1);
      await portLine(it, control);
    },
  })),
  {
    name: 'reg/lines-apart',
    title: 'the second line may come a while after the first',
    clause: 'PORT-CTRL-4',
    needs: ['pool'],
    run: async (it) => {
      const control = await it.dial('control');
      await control.send('pool\n');
      await it.wait(300);
      await control.send('new\n');
      await portLine(it, control);
      await control.line('the id of the pool');
    },
  },
  {
    name: 'reg/early-bytes-claim',
    title: 'payload in the segment of the claim reaches the user',
    clause: 'PORT-CTRL-3',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      const id = await nextId(control);
      const service = await it.dial('claim');
      await service.send(`event\n${id}\nwelcome early`);
      await user.expect('welcome early', 'what came with the claim');
    },
  },
  {
    name: 'reg/early-bytes-user-event',
    title: 'what a user says before the claim comes first on the claiming connection',
    clause: 'PORT-CTRL-3',
    needs: ['event'],
    run: async (it) => {
      const { port, control } = await newEvent(it);
      const user = await it.dialPort(port, 'user');
      await user.send('said before anybody claimed');
      const id = await nextId(control);
      await it.wait(200);
      const service = await it.dial('claim');
      await service.send(`event\n${id}\n`);
      await user.send(', and after');
      await service.expect('said before anybody claimed, and after', "the user's bytes, from the first");
    },
  },
  {
    name: 'reg/early-bytes-pool',
    title: 'payload in the segment of the registration reaches the first user',
    clause: 'PORT-CTRL-3',
    needs: ['pool'],
    run: async (it) => {
      const first = await it.dial('pooled');
      await first.send('pool\nnew\nearly');
      const port = await portLine(it, first);
      await first.line('the id of the pool');
      const user = await it.dialPort(port, 'user');
      await user.send('hello');
      await user.expect('early', 'what came with the registration');
      await first.expect('hello', "the user's bytes");
    },
  },
  ...MODES.map((mode) => ({
    name: `reg/crlf-${mode}`,
    title: `${mode} registers with lines that end with CR LF`,
    clause: 'PORT-CTRL-9',
    needs: [mode],
    run: async (it: Parameters<typeof newPool>[0]) => {
      const control = await it.dial('control');
      await control.send(REGISTER[mode].replaceAll('\n', '\r\n'));
      await portLine(it, control);
    },
  })),
  {
    name: 'reg/ports-differ',
    title: 'fifty registrations at once get fifty ports',
    clause: 'PORT-PORT-1',
    needs: ['event'],
    run: async (it) => {
      const all = await Promise.all(Array.from({ length: 50 }, (_, i) => newEvent(it, `control-${i + 1}`)));
      const ports = new Map<number, number>();
      all.forEach(({ port }, i) => {
        const other = ports.get(port);
        if (other !== undefined)
          it.broken('a port for each', `port ${port} for registrations ${other + 1} and ${i + 1}`);
        ports.set(port, i);
      });
    },
  },
  {
    name: 'reg/ids-unguessable',
    title: 'two hundred pool ids have 40 bits, none twice, no run',
    clause: 'PORT-ID-1',
    needs: ['pool'],
    run: async (it) => {
      const pools = [];
      for (let i = 0; i < 200; i += 20)
        pools.push(
          ...(await Promise.all(Array.from({ length: 20 }, (_, n) => newPool(it, `pooled-${i + n + 1}`)))),
        );
      const ids = pools.map(({ id }) => id);
      if (new Set(ids).size !== ids.length)
        it.broken('200 different ids', `${new Set(ids).size} different ones`);
      const short = ids.find((id) => id.length < 7);
      if (short !== undefined)
        it.broken('at least 40 bits in every id', `"${short}", ${short.length} characters`);
      // each character that varies carries what its alphabet allows: of a counter only the last few vary
      const width = Math.min(...ids.map((id) => id.length));
      let bits = 0;
      for (let at = 0; at < width; at++) bits += Math.log2(new Set(ids.map((id) => id[at])).size);
      if (bits < 30)
        it.broken(
          'characters that vary over at least 30 of the 40 bits in 200 ids',
          `${bits.toFixed(1)} bits vary`,
        );
      const numbers = ids.map((id) => Number.parseInt(id, 16)).filter(Number.isSafeInteger);
      const close = numbers.filter(
        (value, i) => i > 0 && Math.abs(value - (numbers[i - 1] as number)) < 65_536,
      ).length;
      if (numbers.length === ids.length && close > 20)
        it.broken('ids without a run', `${close} of ${ids.length - 1} lie next to the one before`);
    },
  },
);
