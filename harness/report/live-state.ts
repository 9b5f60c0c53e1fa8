import { type FaultRow, FaultsCollector } from '../measure/faults.ts';
import { ROWS_MAX } from '../measure/lanes.ts';
import { type ClientFacts, FactsCollector } from '../measure/run-facts.ts';
import type { TraceEvent } from '../trace/trace.ts';

/** What a client is doing, as far as its own reports and its site's NAT tell. */
type Doing = 'never' | 'on' | 'unaware' | 'retrying';

/** A row of the live table: a site, or all sites with the same NAT and link. */
export type LiveRow = {
  readonly name: string;
  readonly nat: string;
  readonly link: string;
  clients: number;
  on: number;
  unaware: number;
  retrying: number;
  lost: number;
};

/** Running counters of a run, a few additions an event. Used while it runs; the report counts again from the whole trace. */
export class LiveState {
  readonly facts = new FactsCollector();
  readonly faults = new FaultsCollector();
  readonly #doing = new Map<string, { doing: Doing; since: number; fault: number; facts: ClientFacts }>();
  readonly #bySite = new Map<number, Set<string>>();
  readonly #rows = new Map<string, LiveRow>();
  #rowsFor = -1;
  /** Clients connected now. */
  connected = 0;
  tunnelsOpen = 0;
  tunnelsDone = 0;
  tunnelsCut = 0;
  phase = '';
  phaseMicros = 0;

  /** @returns the fault whose last missing client came back with this event */
  event(event: TraceEvent): FaultRow | undefined {
    this.facts.event(event);
    this.faults.event(event);
    switch (event.type) {
      case 'run.phase':
        this.phase = event.name;
        this.phaseMicros = event.t;
        return undefined;
      case 'client.registered':
        return this.#registered(event.who, event.t);
      case 'client.joined':
        if (this.#doing.get(event.who)?.doing === 'unaware') this.#become(event.who, event.t, 'on');
        return undefined;
      case 'client.lost':
        this.#lost(event.who, event.t);
        return undefined;
      case 'client.stopped':
      case 'client.gaveUp':
        this.#become(event.who, event.t, 'never');
        return undefined;
      case 'nat.dropped':
        if (event.cause !== 'expire' && event.mappings > 0) this.#dropped(event.who, event.t);
        return undefined;
      case 'tunnel.opened':
        if (event.side === 'user') this.tunnelsOpen++;
        return undefined;
      case 'tunnel.done':
        if (event.side !== 'user') return undefined;
        this.tunnelsOpen--;
        if (event.gotEnd === 'fin' || event.sentEnd === 'rst') this.tunnelsDone++;
        else this.tunnelsCut++;
        return undefined;
    }
    return undefined;
  }

  rows(): readonly LiveRow[] {
    this.#prepareRows();
    return [...this.#rows.values()];
  }

  #prepareRows(): void {
    const { sites } = this.facts;
    if (this.#rowsFor === sites.length) return;
    this.#rowsFor = sites.length;
    this.#rows.clear();
    for (const site of sites) {
      const key = this.#key(site);
      const row = this.#rows.get(key);
      if (row === undefined) {
        const { nat, link, clients } = site;
        this.#rows.set(key, { name: key, nat, link, clients, on: 0, unaware: 0, retrying: 0, lost: 0 });
      } else row.clients += site.clients;
    }
  }

  #key(site: { readonly name: string; readonly nat: string; readonly link: string }): string {
    return this.facts.sites.length > ROWS_MAX ? `${site.nat}/${site.link}` : site.name;
  }

  #row(site: number): LiveRow | undefined {
    this.#prepareRows();
    const facts = this.facts.sites[site];
    return facts === undefined ? undefined : this.#rows.get(this.#key(facts));
  }

  #client(who: string) {
    const known = this.#doing.get(who);
    if (known !== undefined) return known;
    const facts = this.facts.clientByWho.get(who);
    if (facts === undefined || facts.mode === 'forwarder') return undefined;
    const client = { doing: 'never' as Doing, since: 0, fault: 0, facts };
    this.#doing.set(who, client);
    const inSite = this.#bySite.get(facts.site) ?? new Set();
    inSite.add(who);
    this.#bySite.set(facts.site, inSite);
    return client;
  }

  #become(who: string, t: number, doing: Doing): void {
    const client = this.#client(who);
    if (client === undefined) return;
    const row = this.#row(client.facts.site);
    if (client.doing === doing || row === undefined) return;
    if (client.doing !== 'never') row[client.doing]--;
    if (doing !== 'never') row[doing]++;
    if (client.doing === 'on') this.connected--;
    if (doing === 'on') this.connected++;
    client.doing = doing;
    if (doing !== 'unaware') client.since = t;
  }

  #registered(who: string, t: number): FaultRow | undefined {
    const client = this.#client(who);
    this.#become(who, t, 'on');
    if (client === undefined || client.fault === 0) return undefined;
    const { fault } = client;
    client.fault = 0;
    return this.faults.back(who, fault, t) ? this.faults.row(fault) : undefined;
  }

  #lost(who: string, t: number): void {
    const client = this.#client(who);
    if (client === undefined) return;
    const row = this.#row(client.facts.site);
    if (client.doing === 'on' || client.doing === 'unaware') {
      if (row !== undefined) row.lost++;
      client.fault = this.faults.lost(who, this.facts.siteName(client.facts.site), t, client.since);
    }
    this.#become(who, t, 'retrying');
  }

  #dropped(who: string, t: number): void {
    const site = this.facts.siteOf(who);
    if (site === undefined) return;
    for (const client of this.#bySite.get(site) ?? [])
      if (this.#doing.get(client)?.doing === 'on') this.#become(client, t, 'unaware');
  }
}
