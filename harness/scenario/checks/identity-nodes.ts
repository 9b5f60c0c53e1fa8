/** Nodes that are addressed by their key stay reachable, are given up in time, and are nobody else. */
import type { Analysis } from '../../measure/analysis.ts';
import type { EventOf, TraceEvent } from '../../trace/trace.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { type Check, count, type Judging, proof, Tally } from './check.ts';

const LATE_MILLIS = 1_500;
const EARLY_MILLIS = 50;
/** The longest wait, a handshake, and what a busy machine makes of them. */
const BACK_MILLIS = 6_000;
/** Within this a stranger is turned away. */
const TURNED_AWAY_MILLIS = 3_000;

type Node = {
  readonly declared: EventOf<'identity.declared'>;
  /** Since when it is away; undefined: it is reachable, or was never. */
  lost: EventOf<'identity.lost'> | undefined;
  stopped: boolean;
};

class Nodes implements Judging {
  readonly #analysis: Analysis;
  readonly #nodes = new Map<string, Node>();
  readonly #lost: EventOf<'identity.lost'>[] = [];
  readonly #silent = new Tally(
    'IDLAB-SILENT-1',
    'given up after the time of silence, not before and not later',
  );
  readonly #mapping = new Tally('IDLAB-MAP-1', 'no loss by silence without a fault');
  readonly #back = new Tally('IDLAB-BACK-1', 'reachable again');
  readonly #twin = new Tally('IDLAB-TWIN-1', 'turned away while the first stays');
  readonly #impostor = new Tally('IDLAB-IMPOSTOR-1', 'turned away, without a tunnel');

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(event: TraceEvent): void {
    if (event.type === 'identity.declared')
      this.#nodes.set(event.who, { declared: event, lost: undefined, stopped: false });
    const node = this.#nodes.get(event.who);
    if (node === undefined) return;
    switch (event.type) {
      case 'identity.listening':
        if (node.lost !== undefined && node.declared.role === 'node') this.#back.good();
        node.lost = undefined;
        return;
      case 'identity.lost':
        this.#parted(node, event);
        return;
      case 'identity.tunnel':
        if (node.declared.role === 'impostor')
          this.#impostor.bad('a tunnel', [proof(event, `a tunnel under the key of ${node.declared.key}`)]);
        return;
      case 'host.stopped':
        node.stopped = true;
        return;
    }
  }

  #parted(node: Node, event: EventOf<'identity.lost'>): void {
    node.lost = event;
    const { role, key } = node.declared;
    if (role === 'twin' || role === 'impostor') {
      const tally = role === 'twin' ? this.#twin : this.#impostor;
      if (event.heldMillis > TURNED_AWAY_MILLIS)
        tally.bad(`${event.heldMillis} ms`, [
          proof(event, `listened under the key of ${key} for ${event.heldMillis} ms`),
        ]);
      else tally.good();
      return;
    }
    this.#lost.push(event);
    if (event.why === 'SILENT') this.#silence(node, event, event.silentMillis);
  }

  #silence({ declared }: Node, event: TraceEvent, millis: number): void {
    const { silenceMillis, keepaliveMillis } = declared;
    // a new key is heard and is no sign of life; it may be the last that came, a keepalive interval after the last message
    const least = silenceMillis - keepaliveMillis - EARLY_MILLIS;
    if (millis >= least && millis <= silenceMillis + LATE_MILLIS) this.#silent.good();
    else this.#silent.bad(`${millis} ms`, [proof(event, `given up after ${millis} ms of silence`)]);
  }

  /** Whether a fault of the site or of the relay explains a loss by silence then. */
  #excused(site: string, silenceMillis: number, t: number): boolean {
    return this.#analysis.faults
      .rows()
      .some(
        (row) =>
          (row.site === site || row.kind === 'outage') &&
          row.beganMicros <= t &&
          t <= (row.endedMicros ?? t) + (2 * silenceMillis + BACK_MILLIS) * 1_000,
      );
  }

  #mappings(): void {
    for (const { declared } of this.#nodes.values()) {
      const { who, role, site, mappingMillis, keepaliveMillis, silenceMillis } = declared;
      if (role !== 'node' || mappingMillis <= keepaliveMillis) continue;
      const unexplained = this.#lost.filter(
        (event) =>
          event.who === who && event.why === 'SILENT' && !this.#excused(site, silenceMillis, event.t),
      );
      const [first] = unexplained;
      if (first === undefined) this.#mapping.good();
      else
        this.#mapping.bad(`${unexplained.length} losses`, [
          proof(first, `lost by silence behind a NAT that keeps mappings for ${mappingMillis} ms`),
        ]);
    }
  }

  /** Whoever is away at the end, though it had the time to come back. */
  #away(): void {
    for (const [who, { declared, lost, stopped }] of this.#nodes) {
      if (lost === undefined || stopped || declared.role !== 'node') continue;
      const outages = this.#analysis.faults.outagesOf('identity');
      const there = outages.at(-1)?.toMicros ?? 0;
      const from = Math.max(lost.t, there);
      if (this.#analysis.endMicros - from < (declared.silenceMillis + BACK_MILLIS) * 1_000) continue;
      this.#back.bad(`${who} is still away`, [proof(lost, `lost: ${lost.why}`)]);
    }
  }

  findings(): readonly Finding[] {
    this.#mappings();
    this.#away();
    return [
      this.#silent.finding(
        (n) => `${count(n, 'silent connection')} given up in time`,
        (broken, of) => `${broken} of ${of} silent connections given up too early or too late`,
        'no connection fell silent',
      ),
      this.#mapping.finding(
        (n) => `${count(n, 'node')} behind mappings longer than the keepalive stayed reachable`,
        (broken, of) => `${broken} of ${of} nodes behind mappings longer than the keepalive fell silent`,
        'no NAT keeps mappings longer than the keepalive',
      ),
      this.#back.finding(
        (n) => `nodes were reachable again ${count(n, 'time')}`,
        (broken, of) => `${broken} of ${of} did not come back`,
        'no node was lost',
      ),
      this.#twin.finding(
        (n) => `a second listener was turned away ${count(n, 'time')}`,
        (broken, of) => `${broken} of ${of} times a second listener was let in`,
        'there was no second listener',
      ),
      this.#impostor.finding(
        (n) => `an impostor was turned away ${count(n, 'time')}`,
        (broken, of) => `${broken} of ${of} times an impostor was believed`,
        'there was no impostor',
      ),
    ];
  }
}

export const identityNodes: Check = {
  name: 'identity-nodes',
  clauses: ['IDLAB-SILENT-1', 'IDLAB-MAP-1', 'IDLAB-BACK-1', 'IDLAB-TWIN-1', 'IDLAB-IMPOSTOR-1'],
  start: (analysis) => new Nodes(analysis),
};
