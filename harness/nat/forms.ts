/** How true each form of a NAT is: `machine` (user space: sim and local labs) and `kernel` (nftables: containers, namespaces). */
import type { Nat } from './nat.ts';

export const FORMS = ['machine', 'kernel'] as const;
export type Form = (typeof FORMS)[number];

export type Support =
  | { readonly is: 'same' }
  /** Behaves so, except for `how`. */
  | { readonly is: 'approximate'; readonly how: string }
  /** A scenario that needs it is refused in this form. */
  | { readonly is: 'unsupported'; readonly why: string };

export type FormRow = {
  /** The property, as messages and the README name it. */
  readonly property: string;
  /** Whether this NAT has it. Events happen to every NAT. */
  readonly applies: (nat: Nat) => boolean;
  readonly machine: Support;
  readonly kernel: Support;
};

const same: Support = { is: 'same' };
const approximate = (how: string): Support => ({ is: 'approximate', how });
const unsupported = (why: string): Support => ({ is: 'unsupported', why });
const always = (): boolean => true;

const NARROWER = approximate(
  'admits the far end that was dialled and nobody else; in a relay lab nobody else dials',
);
const DEAD_SENDER =
  'an end that sends into it gives up at its keepalive time, not after its retransmissions (minutes)';
const ONE_PORT = unsupported('a range of one port has no other port to rebind to');

/** Every property of a `Nat` and every event, in both forms. The README's table is printed from this. */
export const FORM_TABLE: readonly FormRow[] = [
  {
    property: 'mapping preserving',
    applies: (nat) => nat.mapping.kind === 'preserving',
    machine: approximate('a port the machine already uses is replaced by another'),
    kernel: same,
  },
  {
    property: 'mapping random',
    applies: (nat) => nat.mapping.kind === 'random',
    machine: same,
    kernel: same,
  },
  {
    property: 'mapping range',
    applies: (nat) => nat.mapping.kind === 'range',
    machine: same,
    kernel: approximate('a closed connection keeps its port for another second'),
  },
  {
    property: 'filtering endpoint-independent',
    applies: (nat) => nat.filtering === 'endpoint-independent',
    machine: NARROWER,
    kernel: NARROWER,
  },
  {
    property: 'filtering address-dependent',
    applies: (nat) => nat.filtering === 'address-dependent',
    machine: NARROWER,
    kernel: NARROWER,
  },
  {
    property: 'filtering address-and-port-dependent',
    applies: (nat) => nat.filtering === 'address-and-port-dependent',
    machine: same,
    kernel: same,
  },
  {
    property: 'unsolicited drop',
    applies: (nat) => nat.unsolicited === 'drop',
    machine: approximate('the host of the public address refuses with RST, as nobody listens there'),
    kernel: same,
  },
  {
    property: 'unsolicited reset',
    applies: (nat) => nat.unsolicited === 'reset',
    machine: same,
    kernel: same,
  },
  {
    property: 'idle silent',
    applies: (nat) => nat.idle.notify === 'silent',
    machine: approximate(DEAD_SENDER),
    kernel: same,
  },
  { property: 'idle rst', applies: (nat) => nat.idle.notify === 'rst', machine: same, kernel: same },
  {
    property: 'idle rebind',
    applies: (nat) => nat.idle.notify === 'rebind',
    machine: approximate("the upstream's RST is emulated, no packet leaves from the new port"),
    kernel: approximate('within a range the same port may come back, unseen'),
  },
  {
    property: 'idle rebind in a range of one port',
    applies: (nat) => nat.idle.notify === 'rebind' && nat.mapping.kind === 'range' && nat.mapping.ports === 1,
    machine: ONE_PORT,
    kernel: ONE_PORT,
  },
  {
    property: 'idle below 1 s',
    applies: (nat) => nat.idle.establishedMillis < 1_000,
    machine: same,
    kernel: unsupported('conntrack counts whole seconds'),
  },
  {
    property: 'idle of broken seconds',
    applies: (nat) => nat.idle.establishedMillis > 1_000 && nat.idle.establishedMillis % 1_000 !== 0,
    machine: same,
    kernel: approximate('rounded up to whole seconds'),
  },
  {
    property: 'exhaustion silent',
    applies: (nat) => nat.exhaustion === 'silent',
    machine: approximate('the dial succeeds and then hears nothing, instead of not succeeding'),
    kernel: same,
  },
  {
    property: 'exhaustion rst',
    applies: (nat) => nat.exhaustion === 'rst',
    machine: approximate('the dial succeeds and is reset at once, instead of being refused'),
    kernel: same,
  },
  {
    property: 'exhaustion icmp',
    applies: (nat) => nat.exhaustion === 'icmp',
    machine: approximate('RST instead of host unreachable'),
    kernel: same,
  },
  {
    property: 'depth 2',
    applies: (nat) => nat.depth === 2,
    machine: approximate('one process with two tables, and a block of ports for its one subscriber'),
    kernel: approximate('two gateways, each rendered for its tier'),
  },
  {
    property: 'hairpin',
    applies: (nat) => nat.hairpin,
    machine: approximate('only for an upstream on its own public address'),
    kernel: approximate('only to forwarded ports'),
  },
  { property: 'event expire', applies: always, machine: same, kernel: approximate('all mappings at once') },
  { property: 'event reboot', applies: always, machine: same, kernel: same },
  { property: 'event readdress', applies: always, machine: same, kernel: same },
  {
    property: 'event flap',
    applies: always,
    machine: approximate('what is sent waits and arrives at once afterwards, no retransmission'),
    kernel: same,
  },
];

/** The rows of the table that concern this NAT. */
export const formRows = (nat: Nat): readonly FormRow[] => FORM_TABLE.filter((row) => row.applies(nat));

/** Names of the properties of this NAT that the form cannot do; empty: it may be used there. */
export const supports = (nat: Nat, form: Form): readonly string[] =>
  formRows(nat)
    .filter((row) => row[form].is === 'unsupported')
    .map((row) => row.property);

/** `same`, `approximate: how`, `unsupported: why`. */
export const supportNote = (support: Support): string => {
  if (support.is === 'same') return 'same';
  return support.is === 'approximate' ? `approximate: ${support.how}` : `unsupported: ${support.why}`;
};
