/** Registrations of every mode, said with literal lines; what a case gets is a port, an id and the connection it came on. */
import type { ServerContext } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';

/** A public port is one decimal line, nothing else in it. Source: README, [port]\n. */
export const portLine = async (it: ServerContext, end: WireEnd): Promise<number> => {
  const line = await end.line('the port of the registration');
  const port = Number(line);
  if (!/^[1-9]\d{0,4}$/.test(line) || port > 65_535)
    it.broken('a public port as one decimal line', JSON.stringify(line));
  return port;
};

export type Pool = { readonly port: number; readonly id: string; readonly first: WireEnd };

/** `pool`, `new`: the port, the id, and the connection itself as the first that waits. */
export const newPool = async (it: ServerContext, name = 'pooled'): Promise<Pool> => {
  const first = await it.dial(name);
  await first.send('pool\nnew\n');
  const port = await portLine(it, first);
  const id = await first.line('the id of the pool');
  if (id === '') it.broken('an id in the second line', 'an empty line');
  return { port, id, first };
};

export const joinPool = async (it: ServerContext, id: string, name: string): Promise<WireEnd> => {
  const end = await it.dial(name);
  await end.send(`pool\n${id}\n`);
  return end;
};

export type Listening = { readonly port: number; readonly control: WireEnd };

/** `event`, `new`: the port; ids come on `control`. */
export const newEvent = async (it: ServerContext, name = 'control'): Promise<Listening> => {
  const control = await it.dial(name);
  await control.send('event\nnew\n');
  return { port: await portLine(it, control), control };
};

export const nextId = async (control: WireEnd): Promise<string> => control.line('the id of the user');

export const claim = async (it: ServerContext, id: string, name = 'claim'): Promise<WireEnd> => {
  const end = await it.dial(name);
  await end.send(`event\n${id}\n`);
  return end;
};

/** A user and the connection that serves him. */
export type Tunnel = {
  readonly user: WireEnd;
  readonly service: WireEnd;
  /** The listener's own connection, in mode event. */
  readonly control?: WireEnd;
};

/** A tunnel of each mode that carries plain bytes: a pooled connection, or a claimed event. */
export const poolTunnel = async (it: ServerContext, name = ''): Promise<Tunnel> => {
  const { port, first } = await newPool(it, `pooled${name}`);
  return { user: await it.dialPort(port, `user${name}`), service: first };
};

export const eventTunnel = async (it: ServerContext, name = ''): Promise<Tunnel> => {
  const { port, control } = await newEvent(it, `control${name}`);
  const user = await it.dialPort(port, `user${name}`);
  return { user, control, service: await claim(it, await nextId(control), `claim${name}`) };
};
