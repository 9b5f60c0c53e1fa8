import t from 'tap';
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import quick from '../cli/testing/quick.ts';
import { resolved, sitePaths } from './paths.ts';
import type { Site, Topology } from './topology.ts';

const { topology } = quick.plan({ ...quick.defaults, lab: 'sim', seed: 1 });
const site = topology.sites[0] as Site;
const withSource: Site = {
  ...site,
  actors: [...site.actors, { who: 'here/source', actor: { kind: 'source', to: 'users/sink' }, watch: false }],
};
const shown = (given: Site, userspace: boolean, publicHost?: string): unknown =>
  sitePaths(given, topology as Topology, userspace, publicHost).map(({ target, hops }) => [
    target,
    ...hops.map(({ who, spec }) => [who, spec({ host: 'x', port: 1 }).kind]),
  ]);

t.test('every target outside has one way out: NAT, then link, from outside inwards', (t) => {
  t.same(shown(site, true), [['relay', ['here/nat', 'nat'], ['here/link', 'link']]]);
  t.same(shown(withSource, true), [
    ['relay', ['here/nat', 'nat'], ['here/link', 'link']],
    ['users/sink', ['here/nat-sink', 'nat'], ['here/link-sink', 'link']],
  ]);
  t.same(
    shown(withSource, false),
    [
      ['relay', ['here/link', 'link']],
      ['users/sink', ['here/link-sink', 'link']],
    ],
    'a kernel does the NAT',
  );
  t.same(
    shown({ ...site, actors: [{ who: 'here/service', actor: { kind: 'service' }, watch: false }] }, true),
    [],
  );
  t.end();
});

t.test('a hop knows what comes after it, its faults and its NAT', (t) => {
  const [path] = sitePaths(site, topology, true, '127.10.0.1');
  const upstream = { host: 'relay', port: 4000 };
  t.match(path?.hops[0]?.spec(upstream), { upstream, publicHost: '127.10.0.1', nat: site.nat.value });
  t.match(path?.hops[1]?.spec(upstream), { upstream, faults: site.link.faults });
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
      { kind: 'link', upstream: 'n', faults: [], keepaliveMillis: 1 },
      { upstream: address('n'), faults: [] },
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
