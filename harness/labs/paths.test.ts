import t from 'tap';
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import quick from '../cli/testing/quick.ts';
import { resolved, siteWay } from './paths.ts';
import type { Site, Topology } from './topology.ts';

const { topology } = quick.plan({ ...quick.defaults, lab: 'sim', seed: 1 });
const site = topology.sites[0] as Site;
const withSource: Site = {
  ...site,
  actors: [...site.actors, { who: 'here/source', actor: { kind: 'source', to: 'users/sink' }, watch: false }],
};
const at = (target: Ref) => ({ host: `at-${target}`, port: 1 });
const way = (given: Site, userspace: boolean, publicHost?: string) =>
  siteWay(given, topology as Topology, userspace, publicHost);
const shown = (given: Site, userspace: boolean): unknown => {
  const { targets, hops } = way(given, userspace);
  return [targets, ...hops.map(({ who, spec }) => [who, spec(at).kind])];
};

t.test('a site has one way out, whoever it leads to: NAT, then link, from outside inwards', (t) => {
  const both = [
    ['here/nat', 'nat'],
    ['here/link', 'link'],
  ];
  t.same(shown(site, true), [['relay'], ...both]);
  t.same(shown(withSource, true), [['relay', 'users/sink'], ...both]);
  t.same(shown(withSource, false), [['relay', 'users/sink'], both[1]], 'a kernel does the NAT');
  const alone = {
    ...site,
    actors: [{ who: 'here/service', actor: { kind: 'service' }, watch: false }],
  } as const;
  t.same(shown(alone, true), [[]], 'who speaks with nobody needs none');
  t.end();
});

t.test('a hop knows where each of its doors leads, its faults and its NAT', (t) => {
  const [nat, link] = way(withSource, true, '127.10.0.1').hops;
  const doors = ['relay', 'users/sink'].map((target) => ({ target, upstream: at(target) }));
  t.match(nat?.spec(at), { doors, publicHost: '127.10.0.1', nat: site.nat.value });
  t.match(link?.spec(at), { doors, faults: site.link.faults });
  t.end();
});

t.test('every name of an actor becomes an address, and nothing else changes', (t) => {
  const address = (ref: Ref) => ({ host: `at-${ref}`, port: 1 });
  const specs: readonly [ActorSpec<Ref>, object][] = [
    [
      { kind: 'forwarder', relay: 'relay', service: 's' },
      { relay: address('relay'), service: address('s') },
    ],
    [{ kind: 'source', to: 'users/sink' }, { to: address('users/sink') }],
    [
      { kind: 'script', to: 'relay', steps: [] },
      { to: address('relay'), steps: [] },
    ],
    [
      { kind: 'link', doors: [{ target: 'relay', upstream: 'n' }], faults: [], keepaliveMillis: 1 },
      { doors: [{ target: 'relay', upstream: address('n') }], faults: [] },
    ],
    [{ kind: 'service' }, {}],
    [{ kind: 'users' }, {}],
    [{ kind: 'sink' }, {}],
    [{ kind: 'relay', port: 1, limits: {}, defect: undefined }, { port: 1 }],
  ];
  for (const [spec, expected] of specs) t.same(resolved(spec, address), { ...spec, ...expected }, spec.kind);
  const client = site.actors.find(({ actor }) => actor.kind === 'client')?.actor;
  t.match(client && resolved(client, address), { relay: address('relay'), service: address('here/service') });
  t.end();
});
