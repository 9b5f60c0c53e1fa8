/** What every check and every page needs to know of a trace, collected in one pass. */
import { AuditCollector } from '../report/audit.ts';
import { ComebackCollector } from '../report/comeback.ts';
import { FaultsCollector } from '../report/faults.ts';
import { LanesCollector } from '../report/lanes.ts';
import { LedgerCollector } from '../report/ledger-table.ts';
import { FactsCollector } from '../report/run-facts.ts';
import { SpeedCollector } from '../report/speed.ts';
import type { TraceEvent } from '../trace/trace.ts';

export class Analysis {
  readonly facts = new FactsCollector();
  readonly faults = new FaultsCollector();
  readonly lanes = new LanesCollector(this.facts, this.faults);
  readonly comeback = new ComebackCollector(this.facts);
  readonly speed = new SpeedCollector();
  readonly ledger = new LedgerCollector(this.facts);
  readonly audit = new AuditCollector();
  endMicros = 0;

  event(event: TraceEvent): void {
    if (event.t > this.endMicros) this.endMicros = event.t;
    this.facts.event(event);
    this.faults.event(event);
    this.lanes.event(event);
    this.comeback.event(event);
    this.speed.event(event);
    this.ledger.event(event);
    this.audit.event(event);
  }

  get complete(): boolean {
    return this.facts.ended?.complete === true;
  }
}
