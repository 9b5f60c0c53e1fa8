/** What every check and every page needs to know of a trace, collected in one pass. */

import type { TraceEvent } from '../trace/trace.ts';
import { AuditCollector } from './audit.ts';
import { BusyCollector } from './busy.ts';
import { ComebackCollector } from './comeback.ts';
import { CrowdCollector } from './crowd.ts';
import { FaultsCollector } from './faults.ts';
import { LanesCollector } from './lanes.ts';
import { LedgerCollector } from './ledger-table.ts';
import { PointsCollector } from './points.ts';
import { FactsCollector } from './run-facts.ts';
import { SpeedCollector } from './speed.ts';

export class Analysis {
  readonly facts = new FactsCollector();
  readonly faults = new FaultsCollector();
  readonly lanes = new LanesCollector(this.facts, this.faults);
  readonly comeback = new ComebackCollector(this.facts);
  readonly speed = new SpeedCollector();
  readonly ledger = new LedgerCollector(this.facts);
  readonly points = new PointsCollector(this.facts);
  readonly audit = new AuditCollector();
  readonly busy = new BusyCollector();
  readonly crowd = new CrowdCollector();
  endMicros = 0;
  /** Lines seen. */
  events = 0;

  event(event: TraceEvent): void {
    this.events++;
    if (event.t > this.endMicros) this.endMicros = event.t;
    this.facts.event(event);
    this.faults.event(event);
    this.lanes.event(event);
    this.comeback.event(event);
    this.speed.event(event);
    this.ledger.event(event);
    this.points.event(event);
    this.audit.event(event);
    this.busy.event(event);
    this.crowd.event(event);
  }

  get complete(): boolean {
    return this.facts.ended?.complete === true;
  }
}
