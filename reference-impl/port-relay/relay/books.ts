import type { Conn, Millis, NameConn, NetOutput } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import { Ends } from './ends.ts';
import type { RelayLimits } from './limits.ts';
import type { PortLease } from './port-lease.ts';
import { Refusals } from './refusals.ts';
import { type Registration, Registrations } from './registrations.ts';
import type { Refusal, RelayReport } from './relay-report.ts';

export type RelayOutput = NetOutput<RelayReport>;
export type Out = RelayOutput[];

/** What the parts of the relay machine share: who is connected, who is registered, what was counted. */
export class Books {
  readonly limits: RelayLimits;
  readonly name: NameConn;
  readonly newId: () => string;
  readonly ends: Ends;
  readonly registrations = new Registrations();
  readonly refusals = new Refusals();
  /** Pools without a waiting connection. */
  readonly grace: Timeouts<Registration>;
  /** Public ports; undefined until the control port is known. */
  lease: PortLease | undefined;
  tunnelsTotal = 0;
  upBytesTotal = 0;
  downBytesTotal = 0;

  constructor(limits: RelayLimits, name: NameConn, newId: () => string) {
    this.limits = limits;
    this.name = name;
    this.newId = newId;
    this.ends = new Ends(limits);
    this.grace = new Timeouts(limits.graceMillis);
  }

  /** Counts a refusal and closes the connection, or resets it when even a closing one is too much. */
  refuse(now: Millis, conn: Conn, why: Refusal, how: 'close' | 'reset', out: Out): void {
    const report = this.refusals.add(now, conn, why);
    if (report !== undefined) out.push({ type: 'report', event: report });
    if (how === 'close') this.ends.close(now, conn, out);
    else this.ends.reset(conn, out);
  }

  /** The two are a tunnel from here on: the driver's, to the end. */
  splice(client: Conn, user: Conn, out: Out): void {
    this.tunnelsTotal++;
    const { idleMillis } = this.limits;
    out.push({ type: 'splice', a: client, b: user, ...(idleMillis > 0 ? { idleMillis } : {}) });
  }

  keepalive(conn: Conn, out: Out): void {
    const idleMillis = this.limits.keepaliveMillis;
    if (idleMillis > 0) out.push({ type: 'keepalive', conn, idleMillis });
  }
}
