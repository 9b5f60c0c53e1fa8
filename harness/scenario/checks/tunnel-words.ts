/** A tunnel in the words of a report: what was seen of it, and what did not come. */
import type { TraceEvent } from '../../trace/trace.ts';
import type { Evidence, Step } from '../../verdict/verdict.ts';
import { proof } from './check.ts';
import type { Tunnel } from './tunnel-book.ts';

/** How it went for the user: `0 bytes, then rst`. */
export const how = ({ user }: Tunnel): string =>
  `${user?.received ?? 0} bytes, then ${user?.gotEnd ?? 'nothing'}`;

/** What both ends said, in the order of a conversation; `text` says what is wrong with it. */
export const evidence = (tunnel: Tunnel, text: string): readonly Evidence[] => {
  const { opened, connected, served, service, user } = tunnel;
  const last: TraceEvent = user ?? connected ?? opened;
  const wrong = proof(last, `tunnel ${opened.tunnel}: ${text}`);
  return [opened, served, service]
    .filter((event) => event !== undefined && event !== last)
    .map((event) => proof(event as TraceEvent, said(event as TraceEvent), false))
    .concat(wrong);
};

const said = (event: TraceEvent): string => {
  if (event.type === 'tunnel.opened')
    return event.side === 'user'
      ? `dials the ${event.mode} port of ${event.client} (${event.up} up, ${event.down} down, ${event.close})`
      : 'serves it';
  if (event.type === 'tunnel.done')
    return `sent ${event.sent} (${event.sentEnd}), received ${event.received} (${event.gotEnd})`;
  return event.type;
};

/** The conversation as arrows, up to what did not come. */
export const ladder = (tunnel: Tunnel, missing: string): readonly Step[] => {
  const { opened, connected, served, service, user } = tunnel;
  const steps: Step[] = [{ from: 'user', to: 'relay', text: 'SYN', t: opened.t, kind: 'seen' }];
  const half = opened.close === 'half' ? ', FIN' : '';
  if (connected !== undefined)
    steps.push({
      from: 'user',
      to: 'relay',
      text: `request, ${opened.up} B${half}`,
      t: connected.t,
      kind: 'seen',
    });
  if (served !== undefined)
    steps.push({ from: 'relay', to: 'client', text: 'request', t: served.t, kind: 'seen' });
  if (user !== undefined && user.sentEnd === 'rst')
    steps.push({ from: 'user', to: 'relay', text: 'RST', t: user.t, kind: 'seen' });
  else if (user !== undefined)
    steps.push({
      from: 'relay',
      to: 'user',
      text: `${user.received} B, then ${user.gotEnd}`,
      t: user.t,
      kind: 'wrong',
    });
  if (service !== undefined && service.sent > 0)
    steps.push({
      from: 'client',
      to: 'relay',
      text: `answer, ${service.sent} B`,
      t: service.t,
      kind: 'seen',
    });
  const to = missing === 'joined' || missing === 'RST' ? 'client' : 'user';
  return [
    ...steps,
    { from: 'relay', to, text: `expected: ${missing}`, t: user?.t ?? opened.t, kind: 'missing' },
  ];
};
