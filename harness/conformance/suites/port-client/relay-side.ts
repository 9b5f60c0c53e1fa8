/** The other side of a port client: we are the relay it registers at, and the service behind it. */
import type { ClientContext, RunningClient } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';
import type { WireListener } from '../../wire/wire-listener.ts';

export type Mode = 'pool' | 'event' | 'multiplex';

export const LINES: Readonly<Record<Mode, string>> = {
  pool: 'pool\nnew\n',
  event: 'event\nnew\n',
  multiplex: 'multiplex\n',
};

/** What we answer: no case dials it, a user is a connection that the case plays itself. */
export const PORT = 40_001;
export const ID = '4F356C83F4';
export const ANSWER: Readonly<Record<Mode, string>> = {
  pool: `${PORT}\n${ID}\n`,
  event: `${PORT}\n`,
  multiplex: `${PORT}\n`,
};

export type Stage = {
  readonly relay: WireListener;
  readonly service: WireListener;
  readonly client: RunningClient;
};

/** Relay and service listen, and the client is started towards both. */
export const stage = async (it: ClientContext, mode: Mode): Promise<Stage> => {
  const relay = await it.listen('relay');
  const service = await it.listen('service');
  const client = await it.start({
    mode,
    port: String(await it.door(relay)),
    service: String(service.port),
  });
  return { relay, service, client };
};

/** The registering connection, once it has said its lines. */
export const registering = async (relay: WireListener, mode: Mode): Promise<WireEnd> => {
  const control = await relay.accept('the client registers', 15_000);
  await control.expect(LINES[mode], `the registration of mode ${mode}`);
  return control;
};

/** Registered and answered. */
export const registered = async (
  it: ClientContext,
  mode: Mode,
): Promise<Stage & { readonly control: WireEnd }> => {
  const all = await stage(it, mode);
  const control = await registering(all.relay, mode);
  await control.send(ANSWER[mode]);
  return { ...all, control };
};

/** A connection of an event client that claims this id. */
export const claimed = async (relay: WireListener, id: string): Promise<WireEnd> => {
  const end = await relay.accept(`a claim of ${id}`);
  await end.expect(`event\n${id}\n`, `the claim of ${id}`);
  return end;
};
