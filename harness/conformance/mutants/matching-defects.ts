/** Defects of who is joined with whom, and when; and of ports that outlive their registration. */
import type { Conn, Listener, Millis } from '../../../reference-impl/machine/machine.ts';
import { soonest } from '../../../reference-impl/machine/machine.ts';
import { CONTROL } from '../../../reference-impl/port-relay/relay/registrar.ts';
import { ControlWatch } from './control-watch.ts';
import { type Defect, type Input, type Out, type Relay, through } from './defect.ts';

/** Knows the mode of every public port, and so of every user. */
class Ports {
  readonly #modes = new Map<number, string>();
  readonly #listeners = new Map<Listener, number>();

  see(input: Input, outputs: readonly Out[]): void {
    if (input.type === 'listening') this.#listeners.set(input.listener, input.port);
    for (const output of outputs)
      if (output.type === 'report' && output.event.type === 'relay.registered')
        this.#modes.set(output.event.port, output.event.mode);
  }

  /** undefined: no user of a public port arrives with this input. */
  modeOf(input: Input): string | undefined {
    if (input.type !== 'accepted' || input.listener === CONTROL) return undefined;
    return this.#modes.get(this.#listeners.get(input.listener) ?? 0);
  }
}

/** A user who was kept waiting is handed to the relay; what it has said meanwhile goes first, as of any user who waits. */
const served = (inputs: readonly Input[], ask: (input: Input) => readonly Out[]): readonly Out[] => {
  const [accepted, ...said] = inputs;
  const outputs = accepted === undefined ? [] : ask(accepted);
  const splice = outputs.find((output) => output.type === 'splice');
  if (splice?.type !== 'splice') return [...outputs, ...said.flatMap(ask)];
  const bytes = said.flatMap((input): readonly Out[] =>
    input.type === 'bytes' ? [{ type: 'send', conn: splice.a, bytes: input.bytes }] : [],
  );
  return outputs.flatMap((output) => (output === splice ? [...bytes, output] : [output]));
};

/** Users of pools are looked after when the clock strikes only. */
const polled = (relay: Relay, everyMillis: Millis): Relay => {
  const ports = new Ports();
  const held = new Map<Conn, Input[]>();
  let tick: Millis | undefined;
  const ask = (now: Millis, input: Input): readonly Out[] => {
    const outputs = relay.handle(now, input);
    ports.see(input, outputs);
    return outputs;
  };
  const handle = (now: Millis, input: Input): readonly Out[] => {
    if (tick !== undefined && now >= tick) {
      tick = undefined;
      const late = [...held.values()];
      held.clear();
      return [...late.flatMap((inputs) => served(inputs, (one) => ask(now, one))), ...ask(now, input)];
    }
    if (ports.modeOf(input) === 'pool' && input.type === 'accepted') {
      held.set(input.conn, [input]);
      tick ??= Math.floor(now) - (Math.floor(now) % everyMillis) + everyMillis;
      return [];
    }
    const waiting = 'conn' in input ? held.get(input.conn) : undefined;
    if (waiting === undefined) return ask(now, input);
    waiting.push(input);
    return [];
  };
  return through(relay, handle, () => soonest(tick, relay.deadline()));
};

/** Every nth user of a mode is accepted and then forgotten. */
const forgetful = (relay: Relay, mode: string, every: number): Relay => {
  const ports = new Ports();
  const forgotten = new Set<Conn>();
  let users = 0;
  return through(relay, (now, input) => {
    if ('conn' in input && forgotten.has(input.conn)) return [];
    if (input.type === 'accepted' && ports.modeOf(input) === mode && ++users % every === 0) {
      forgotten.add(input.conn);
      return [];
    }
    const outputs = relay.handle(now, input);
    ports.see(input, outputs);
    return outputs;
  });
};

/** The ends of pooled connections that wait are not noticed. */
const blindToTheDead = (relay: Relay): Relay => {
  const watch = new ControlWatch();
  const pooled = new Set<Conn>();
  return through(relay, (now, input) => {
    if ((input.type === 'ended' || input.type === 'closed') && pooled.has(input.conn)) return [];
    const said = watch.see(input);
    const outputs = relay.handle(now, input);
    if (said?.mode === 'pool' && said.word !== 'new') pooled.add(said.conn);
    for (const output of outputs) {
      if (output.type === 'report' && output.event.type === 'relay.registered') {
        if (output.event.mode === 'pool') pooled.add(output.event.conn);
      } else if (output.type === 'splice') pooled.delete(output.a);
      else if (output.type === 'close' || output.type === 'reset') pooled.delete(output.conn);
    }
    return outputs;
  });
};

/** What a waiting user has said before is forgotten when it says more (`all`: at once). */
const earlyBytes = (relay: Relay, all: boolean): Relay => {
  const waiting = new Set<Conn>();
  const spoke = new Map<Conn, Input>();
  return through(relay, (now, input) => {
    if (input.type === 'accepted' && input.listener !== CONTROL) waiting.add(input.conn);
    if (input.type === 'closed') waiting.delete(input.conn);
    if (input.type === 'bytes' && waiting.has(input.conn)) {
      if (!all) spoke.set(input.conn, input);
      return [];
    }
    const outputs = relay.handle(now, input);
    return outputs.flatMap((output): readonly Out[] => {
      if (output.type !== 'splice') return [output];
      waiting.delete(output.b);
      const last = spoke.get(output.b);
      spoke.delete(output.b);
      if (last?.type !== 'bytes') return [output];
      return [{ type: 'send', conn: output.a, bytes: last.bytes }, output];
    });
  });
};

/** The end of a listener's control connection is not noticed: its port stays, and users wait there. */
const blindToListeners = (relay: Relay): Relay => {
  const watch = new ControlWatch();
  return through(relay, (now, input) => {
    const said = 'conn' in input ? watch.of(input.conn) : undefined;
    watch.see(input);
    const listener = said?.mode === 'event' && said.word === 'new';
    return listener && (input.type === 'ended' || input.type === 'closed') ? [] : relay.handle(now, input);
  });
};

/** Every nth claim is refused, whatever it names. */
const refusing = (relay: Relay, every: number): Relay => {
  const watch = new ControlWatch();
  let claims = 0;
  return through(relay, (now, input) => {
    const said = watch.see(input);
    if (said?.mode !== 'event' || said.word === 'new' || ++claims % every !== 0)
      return relay.handle(now, input);
    return [{ type: 'close', conn: said.conn }];
  });
};

/** Public ports are not given back to the system. */
const hoarding = (relay: Relay): Relay =>
  through(relay, (now, input) =>
    relay.handle(now, input).filter((output) => output.type !== 'unlisten' || output.listener === CONTROL),
  );

export const MATCHING_DEFECTS: Readonly<Record<string, Defect>> = {
  'polled-pool': {
    clause: 'PORT-POOL-4',
    says: 'users of a pool are looked after every two seconds only',
    labs: 'all',
    wrap: (relay) => polled(relay, 2_000),
  },
  'dead-pooled': {
    clause: 'PORT-POOL-5',
    says: 'pooled connections that ended while they waited are handed out',
    labs: 'all',
    wrap: blindToTheDead,
  },
  'early-bytes-dropped': {
    clause: 'PORT-CTRL-3',
    says: 'what a user says before it is joined is dropped',
    labs: 'all',
    wrap: (relay) => earlyBytes(relay, true),
  },
  'early-bytes-overwritten': {
    clause: 'PORT-CTRL-3',
    says: 'of what a user says before it is joined only the last segment is kept',
    labs: 'all',
    wrap: (relay) => earlyBytes(relay, false),
  },
  'claims-refused': {
    clause: 'PORT-EVENT-3',
    says: 'every fourth claim is refused although its user waits',
    labs: 'all',
    wrap: (relay) => refusing(relay, 4),
  },
  'streams-forgotten': {
    clause: 'PORT-MUX-1',
    says: 'every fifth user of a session gets no stream',
    labs: 'all',
    wrap: (relay) => forgetful(relay, 'multiplex', 5),
  },
  'users-unannounced': {
    clause: 'PORT-EVENT-2',
    says: 'every third user of an event listener is not announced',
    labs: 'all',
    wrap: (relay) => forgetful(relay, 'event', 3),
  },
  'listener-outlived': {
    clause: 'PORT-EVENT-4',
    says: 'the port of an event listener stays open after its control connection has ended',
    labs: 'all',
    wrap: blindToListeners,
  },
  'ports-kept': {
    clause: 'AUDIT-PORT-1',
    says: 'ports of registrations that ended are not closed',
    labs: 'all',
    wrap: hoarding,
  },
};
