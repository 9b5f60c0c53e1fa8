import type { EventOf, TraceEvent } from '../trace/trace.ts';
import type { FaultsCollector } from './faults.ts';
import type { ClientFacts, FactsCollector } from './run-facts.ts';
import { type Bars, BIN_MICROS, Level, type Steps, Tally } from './series.ts';

/** Sites a page shows one by one; with more of them they are grouped by NAT and link. */
export const ROWS_MAX = 12;

/** A single path that expired explains a loss up to this much later. */
const UNNOTICED_MICROS_MAX = 60_000_000;

/** One lane: a site, or all sites with the same NAT and link. */
export type Lane = {
  readonly name: string;
  /** Indexes into the model's sites; one, unless grouped. */
  readonly sites: readonly number[];
  readonly nat: string;
  readonly link: string;
  readonly clients: number;
  /** Registered clients per 100 ms. */
  readonly connected: Steps;
  /** Clients whose path is dead and that have not noticed yet, per 100 ms. They are also counted in `connected`: they
   *  believe they are; a drawing subtracts. */
  readonly unaware: Steps;
  /** Attempts that ended without a registration, per 200 ms. */
  readonly refused: Bars;
  readonly losses: number;
  /** Longest time from a loss to the next registration of the same client. */
  readonly longestAwayMicros: number;
  /** Clients never registered again (or never at all) when the trace ended. */
  readonly missingAtEnd: number;
};

/** Totals over all clients. */
export type ClientTotals = {
  readonly declared: number;
  /** Registered at least once. */
  readonly everConnected: number;
  readonly connectedAtEnd: number;
  readonly losses: number;
  readonly refused: number;
};

type Client = {
  readonly facts: ClientFacts;
  connectedSince: number | undefined;
  lostAt: number | undefined;
  fault: number;
  ever: boolean;
  /** Registered, now or when the run itself stopped it. */
  home: boolean;
};

type SiteState = {
  /** Moments at which every path of the site died (reboot, new address). */
  deadSince: number | undefined;
  /** Single paths that expired and whose client has not noticed yet, oldest first. */
  readonly expired: number[];
  expiredHead: number;
};

type Row = {
  readonly connected: Level;
  readonly unaware: Level;
  readonly refused: Tally;
  losses: number;
  longestAwayMicros: number;
};

/** Follows every declared client through registrations and losses. Events come in the order of `t`. */
export class LanesCollector {
  readonly #facts: FactsCollector;
  readonly #faults: FaultsCollector;
  readonly #clients = new Map<string, Client>();
  readonly #sites: SiteState[] = [];
  readonly #rows: Row[] = [];
  readonly #rowOfSite: number[] = [];
  #groups: { name: string; sites: number[] }[] = [];
  #grouped = -1;
  #refused = 0;

  constructor(facts: FactsCollector, faults: FaultsCollector) {
    this.#facts = facts;
    this.#faults = faults;
  }

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'client.registered':
        this.#registered(event);
        return;
      case 'client.joined':
        this.#joined(event);
        return;
      case 'client.lost':
        this.#lost(event);
        return;
      case 'client.gaveUp':
      case 'client.stopped':
        this.#stopped(event);
        return;
      case 'nat.dropped':
        if (event.mappings > 0) this.#dropped(event);
        return;
      case 'nat.expired':
        this.#site(this.#facts.siteOf(event.who))?.expired.push(event.t);
        return;
      case 'link.effect':
        // A connection that a link resets tells its client at once; one that it cuts is dead without a sign.
        if (event.effect === 'cut') this.#site(this.#facts.siteOf(event.who))?.expired.push(event.t);
        return;
    }
  }

  #client(who: string): Client | undefined {
    const known = this.#clients.get(who);
    if (known !== undefined) return known;
    const facts = this.#facts.clientByWho.get(who);
    if (facts === undefined || facts.mode === 'forwarder') return undefined;
    const client = {
      facts,
      connectedSince: undefined,
      lostAt: undefined,
      fault: 0,
      ever: false,
      home: false,
    };
    this.#clients.set(who, client);
    return client;
  }

  #site(index: number | undefined): SiteState | undefined {
    if (index === undefined) return undefined;
    this.#sites[index] ??= { deadSince: undefined, expired: [], expiredHead: 0 };
    return this.#sites[index];
  }

  /** Sites are all declared before the first client acts, so grouping is decided at the first use. */
  #row(site: number): Row {
    const sites = this.#facts.sites;
    if (this.#grouped !== sites.length) this.#group();
    const row = this.#rowOfSite[site] ?? 0;
    this.#rows[row] ??= {
      connected: new Level(),
      unaware: new Level(),
      refused: new Tally(2 * BIN_MICROS),
      losses: 0,
      longestAwayMicros: 0,
    };
    return this.#rows[row] as Row;
  }

  #group(): void {
    const sites = this.#facts.sites;
    this.#grouped = sites.length;
    const groups = new Map<string, { name: string; sites: number[] }>();
    sites.forEach((site, index) => {
      const key = sites.length > ROWS_MAX ? `${site.nat} NAT, ${site.link}` : site.name;
      const group = groups.get(key) ?? { name: key, sites: [] };
      group.sites.push(index);
      groups.set(key, group);
    });
    this.#groups = [...groups.values()];
    this.#groups.forEach((group, row) => {
      for (const site of group.sites) this.#rowOfSite[site] = row;
    });
  }

  #registered(event: EventOf<'client.registered'>): void {
    const client = this.#client(event.who);
    if (client === undefined) return;
    client.home = true;
    if (client.connectedSince !== undefined) return;
    const row = this.#row(client.facts.site);
    row.connected.add(event.t, 1);
    client.ever = true;
    client.connectedSince = event.t;
    if (client.lostAt !== undefined) {
      row.longestAwayMicros = Math.max(row.longestAwayMicros, event.t - client.lostAt);
      client.lostAt = undefined;
    }
    if (client.fault > 0) this.#faults.back(event.who, client.fault, event.t);
    client.fault = 0;
  }

  /** A pool whose paths died fills up again without losing its registration: from here on its client is reachable. */
  #joined(event: EventOf<'client.joined'>): void {
    const client = this.#client(event.who);
    if (client?.connectedSince === undefined) return;
    const deadSince = this.#site(client.facts.site)?.deadSince;
    if (deadSince === undefined || deadSince < client.connectedSince || deadSince > event.t) return;
    const row = this.#row(client.facts.site);
    row.unaware.add(deadSince, 1);
    row.unaware.add(event.t, -1);
    client.connectedSince = event.t;
  }

  #lost(event: EventOf<'client.lost'>): void {
    const client = this.#client(event.who);
    if (client === undefined) return;
    const row = this.#row(client.facts.site);
    if (client.connectedSince === undefined) {
      row.refused.add(event.t);
      this.#refused++;
      return;
    }
    const since = client.connectedSince;
    const diedAt = this.#diedAt(client.facts.site, since, event.t);
    if (diedAt !== undefined && diedAt < event.t) {
      row.unaware.add(diedAt, 1);
      row.unaware.add(event.t, -1);
    }
    row.connected.add(event.t, -1);
    row.losses++;
    client.connectedSince = undefined;
    client.home = false;
    client.lostAt = diedAt ?? event.t;
    const site = this.#facts.siteName(client.facts.site);
    client.fault = this.#faults.lost(event.who, site, event.t, since);
  }

  /** When the path of a loss really died: with the last death of the whole site, else with the oldest expiry unclaimed. */
  #diedAt(index: number, since: number, t: number): number | undefined {
    const site = this.#site(index);
    if (site === undefined) return undefined;
    if (site.deadSince !== undefined && site.deadSince >= since && site.deadSince <= t) return site.deadSince;
    const relay = this.#faults.relayFaultMicros();
    const relayDied = relay !== undefined && relay >= since && relay <= t ? relay : undefined;
    // Tunnels expire too: what no client claimed soon was not a client's path.
    const oldest = Math.max(since, relayDied ?? 0, t - UNNOTICED_MICROS_MAX);
    while (site.expiredHead < site.expired.length && (site.expired[site.expiredHead] ?? 0) < oldest)
      site.expiredHead++;
    const expired = site.expired[site.expiredHead];
    if (expired === undefined || expired > t) return relayDied;
    site.expiredHead++;
    return expired;
  }

  #dropped(event: EventOf<'nat.dropped'>): void {
    const index = this.#facts.siteOf(event.who);
    const site = this.#site(index);
    if (site === undefined) return;
    if (event.cause === 'expire') {
      for (let i = 0; i < event.mappings; i++) site.expired.push(event.t);
      return;
    }
    site.deadSince = event.t;
  }

  #stopped(event: TraceEvent): void {
    const client = this.#client(event.who);
    if (client?.connectedSince === undefined) return;
    this.#row(client.facts.site).connected.add(event.t, -1);
    client.connectedSince = undefined;
    client.home = event.type === 'client.stopped';
  }

  /** @param complete false: the trace ends in the middle, so a client on a dead path counts as unaware to its end */
  lanes(endMicros: number, complete: boolean): readonly Lane[] {
    if (this.#facts.sites.length === 0) return [];
    if (!complete) this.#leaveUnaware(endMicros);
    this.#group();
    const missing = this.#missingBySite();
    const sites = this.#facts.sites;
    return this.#groups.map((group, index) => {
      const row = this.#row(group.sites[0] ?? 0);
      const first = sites[group.sites[0] ?? 0];
      return {
        name: group.name,
        sites: this.#groups[index]?.sites ?? [],
        nat: first?.nat ?? '',
        link: first?.link ?? '',
        clients: group.sites.reduce((sum, site) => sum + (sites[site]?.clients ?? 0), 0),
        connected: row.connected.steps(),
        unaware: row.unaware.steps(),
        refused: row.refused.bars(),
        losses: row.losses,
        longestAwayMicros: row.longestAwayMicros,
        missingAtEnd: group.sites.reduce((sum, site) => sum + (missing[site] ?? 0), 0),
      };
    });
  }

  #leaveUnaware(endMicros: number): void {
    for (const client of this.#clients.values()) {
      const dead = this.#site(client.facts.site)?.deadSince;
      if (client.connectedSince === undefined || dead === undefined || dead < client.connectedSince) continue;
      const row = this.#row(client.facts.site);
      row.unaware.add(dead, 1);
      row.unaware.add(endMicros + BIN_MICROS, -1);
    }
  }

  #missingBySite(): readonly number[] {
    const missing: number[] = [];
    for (const { client, site } of this.#facts.clients) {
      const name = this.#facts.siteName(site);
      const state = this.#clients.get(client) ?? this.#clients.get(`${name}/${client}`);
      if (state?.home !== true) missing[site] = (missing[site] ?? 0) + 1;
    }
    return missing;
  }

  totals(): ClientTotals {
    let ever = 0;
    let connected = 0;
    for (const client of this.#clients.values()) {
      if (client.ever) ever++;
      if (client.home) connected++;
    }
    return {
      declared: this.#facts.clients.length,
      everConnected: ever,
      connectedAtEnd: connected,
      losses: this.#rows.reduce((sum, row) => sum + (row?.losses ?? 0), 0),
      refused: this.#refused,
    };
  }
}
