/** Defects of the words of the control phase: what is said, to whom, and when. */
import type { Conn } from '../../../reference-impl/machine/machine.ts';
import { CONTROL } from '../../../reference-impl/port-relay/relay/registrar.ts';
import { ControlWatch } from './control-watch.ts';
import { bytesOf, connOf, type Defect, type Out, type Relay, textOf, through } from './defect.ts';

/** Says a registration's answer differently. `text`: what the correct relay says, `4001\n` or `4001\nID\n`. */
const answering = (
  relay: Relay,
  spoil: (text: string, mode: string, port: number) => string | undefined,
): Relay =>
  through(relay, (now, input) => {
    const outputs = relay.handle(now, input);
    const registered = outputs.find(
      (output) => output.type === 'report' && output.event.type === 'relay.registered',
    );
    if (registered?.type !== 'report' || registered.event.type !== 'relay.registered') return outputs;
    const { conn, mode, port } = registered.event;
    let answer = true;
    return outputs.flatMap((output): readonly Out[] => {
      if (output.type !== 'send' || output.conn !== conn || !answer) return [output];
      answer = false;
      const text = spoil(textOf(output.bytes), mode, port);
      return text === undefined ? [] : [{ ...output, bytes: bytesOf(text) }];
    });
  });

/** Adds something to say when a client's words are complete. */
const adding = (relay: Relay, says: (mode: string, word: string) => string | undefined): Relay => {
  const watch = new ControlWatch();
  return through(relay, (now, input) => {
    const said = watch.see(input);
    const text = said === undefined ? undefined : says(said.mode, said.word);
    const outputs = relay.handle(now, input);
    if (said === undefined || text === undefined) return outputs;
    return [{ type: 'send', conn: said.conn, bytes: bytesOf(text) }, ...outputs];
  });
};

/** Leaves a connection open that the correct relay would end while `which` is true of it. */
const leftOpen = (relay: Relay, which: (conn: Conn, watch: ControlWatch) => boolean): Relay => {
  const watch = new ControlWatch();
  const left = new Set<Conn>();
  return through(relay, (now, input) => {
    watch.see(input);
    return relay.handle(now, input).filter((output) => {
      const conn = connOf(output);
      if (conn === undefined) return true;
      if (output.type === 'close' && which(conn, watch)) left.add(conn);
      // The correct relay has said goodbye: whatever it does about this connection later is part of that.
      return !left.has(conn);
    });
  });
};

/** True of connections whose words made no request: garbage, or nothing at all. */
const saidNothingUseful = (spoke: boolean) => {
  return (relay: Relay): Relay => {
    const opening = new Map<Conn, boolean>();
    const inner = leftOpen(relay, (conn) => opening.get(conn) === spoke);
    const watch = new ControlWatch();
    return through(inner, (now, input) => {
      if (input.type === 'accepted' && input.listener === CONTROL) opening.set(input.conn, false);
      else if (input.type === 'bytes' && opening.has(input.conn)) opening.set(input.conn, true);
      else if (input.type === 'closed') opening.delete(input.conn);
      const said = watch.see(input);
      if (said !== undefined && ['pool', 'event', 'multiplex'].includes(said.mode)) opening.delete(said.conn);
      return inner.handle(now, input);
    });
  };
};

/** Ids that count up from one, in the width of real ones. */
const counting = (): (() => string) => {
  let last = 0;
  return () => String(++last).padStart(10, '0');
};

/** Ids out of a small set, so that each is used again sooner or later. */
const recycled = (newId: () => string): (() => string) => {
  const ids = Array.from({ length: 150 }, newId);
  let at = 0;
  return () => ids[at++ % ids.length] as string;
};

export const CONVERSATION_DEFECTS: Readonly<Record<string, Defect>> = {
  'padded-port': {
    clause: 'PORT-CTRL-2',
    says: 'the port is padded with zeros to six digits',
    labs: 'all',
    wrap: (relay) => answering(relay, (text) => text.replace(/^\d+/, (port) => port.padStart(6, '0'))),
  },
  'port-with-host': {
    clause: 'PORT-CTRL-2',
    says: 'host:port is said instead of the port',
    labs: 'all',
    wrap: (relay) => answering(relay, (text) => `relay.example:${text}`),
  },
  banner: {
    clause: 'PORT-CTRL-1',
    says: 'a version line greets every connection',
    labs: 'all',
    wrap: (relay) =>
      through(relay, (now, input) => {
        const outputs = relay.handle(now, input);
        if (input.type !== 'accepted' || input.listener !== CONTROL) return outputs;
        return [{ type: 'send', conn: input.conn, bytes: bytesOf('relay/1.0\n') }, ...outputs];
      }),
  },
  'no-pool-id': {
    clause: 'PORT-POOL-1',
    says: 'a new pool is told its port and no id',
    labs: 'all',
    wrap: (relay) => answering(relay, (text, mode) => (mode === 'pool' ? text.replace(/\n.*/s, '\n') : text)),
  },
  'reply-to-join': {
    clause: 'PORT-POOL-2',
    says: 'a connection added to a pool is answered "ok"',
    labs: 'all',
    wrap: (relay) => adding(relay, (mode, word) => (mode === 'pool' && word !== 'new' ? 'ok\n' : undefined)),
  },
  'id-before-users': {
    clause: 'PORT-EVENT-1',
    says: 'a new event listener is told an id although no user came',
    labs: 'all',
    wrap: (relay) => {
      let registrations = 0;
      return answering(relay, (text, mode, port) => {
        const id = Math.imul(++registrations * 65_536 + port, 0x9e3779b1) >>> 0;
        return mode === 'event' ? `${text}${id.toString(16).padStart(10, '7').toUpperCase()}\n` : text;
      });
    },
  },
  'same-port-twice': {
    clause: 'PORT-PORT-1',
    says: 'every fifth registration is told the port of the one before',
    labs: 'all',
    wrap: (relay) => {
      let registrations = 0;
      let before: number | undefined;
      return answering(relay, (text, _mode, port) => {
        const told = ++registrations % 5 === 0 && before !== undefined ? before : port;
        before = told;
        return text.replace(/^\d+/, String(told));
      });
    },
  },
  'counted-ids': {
    clause: 'PORT-ID-1',
    says: 'ids count up',
    labs: 'all',
    config: (config) => ({ ...config, newId: counting() }),
  },
  'short-ids': {
    clause: 'PORT-ID-1',
    says: 'ids have 16 bits',
    labs: 'all',
    config: (config) => ({ ...config, newId: () => config.newId().slice(0, 4) }),
  },
  'recycled-ids': {
    clause: 'PORT-EVENT-2',
    says: 'an event id is used again for another user',
    labs: 'all',
    config: (config) => ({ ...config, newId: recycled(config.newId) }),
  },
  'garbage-kept': {
    clause: 'PORT-CTRL-5',
    says: 'a connection that says no mode is left open',
    labs: 'all',
    wrap: saidNothingUseful(true),
  },
  'silence-kept': {
    clause: 'PORT-CTRL-6',
    says: 'a connection that ends before its first line is never closed',
    labs: 'all',
    wrap: saidNothingUseful(false),
  },
  'unknown-pool-kept': {
    clause: 'PORT-POOL-6',
    says: 'a connection that joins an unknown pool is left open',
    labs: 'all',
    wrap: (relay) =>
      leftOpen(relay, (conn, watch) => {
        const said = watch.of(conn);
        return said?.mode === 'pool' && said.word !== 'new';
      }),
  },
  'second-claim-kept': {
    clause: 'PORT-EVENT-5',
    says: 'a second claim of the same event is left open',
    labs: 'all',
    wrap: (relay) =>
      leftOpen(relay, (conn, watch) => {
        const said = watch.of(conn);
        return said?.mode === 'event' && said.word !== 'new';
      }),
  },
  'dies-on-garbage': {
    clause: 'PORT-LIVE-1',
    says: 'the process ends on a first line that is no mode',
    labs: 'real',
    wrap: (relay) => {
      const watch = new ControlWatch();
      return through(relay, (now, input) => {
        const said = watch.see(input);
        if (said !== undefined && !['pool', 'event', 'multiplex'].includes(said.mode))
          throw new Error(`fatal: unknown protocol "${said.mode}"`);
        return relay.handle(now, input);
      });
    },
  },
};
