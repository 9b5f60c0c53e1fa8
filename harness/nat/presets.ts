/** The NATs people know by name. A scenario may take one and change what it needs (`{ preset: 'home', idle: ... }`). */
import type { Nat } from './nat.ts';
import { natNote } from './nat.ts';

export const PRESET_NAMES = ['home', 'strict', 'rfc5382', 'cgnat', 'hostile'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const PRESETS: Readonly<Record<PresetName, Nat>> = {
  /** A home router on Linux: port-preserving masquerade, a short idle timeout, nothing said when it strikes. */
  home: {
    mapping: { kind: 'preserving' },
    filtering: 'address-and-port-dependent',
    unsolicited: 'drop',
    idle: { establishedMillis: 300_000, notify: 'silent' },
    exhaustion: 'silent',
    depth: 1,
    hairpin: true,
  },
  /** An office firewall: a fresh random port for each connection, tells inner hosts by RST that it forgot them. */
  strict: {
    mapping: { kind: 'random' },
    filtering: 'address-and-port-dependent',
    unsolicited: 'reset',
    idle: { establishedMillis: 120_000, notify: 'rst' },
    exhaustion: 'rst',
    depth: 1,
    hairpin: false,
  },
  /** What RFC 5382 asks for: REQ-5 (2 h 4 min), REQ-3 (filtering), REQ-4 (no answer to a stray SYN), REQ-8 (hairpin). */
  rfc5382: {
    mapping: { kind: 'preserving' },
    filtering: 'endpoint-independent',
    unsolicited: 'drop',
    idle: { establishedMillis: 7_440_000, notify: 'silent' },
    exhaustion: 'icmp',
    depth: 1,
    hairpin: true,
  },
  /** A mobile carrier: a block of ports for each subscriber (RFC 6888 REQ-4), home NAT in front. */
  cgnat: {
    mapping: { kind: 'range', ports: 512 },
    filtering: 'address-and-port-dependent',
    unsolicited: 'drop',
    idle: { establishedMillis: 600_000, notify: 'silent' },
    exhaustion: 'silent',
    depth: 2,
    hairpin: false,
  },
  /** As bad as it gets in the field: random ports, forgets within seconds, says nothing. */
  hostile: {
    mapping: { kind: 'random' },
    filtering: 'address-and-port-dependent',
    unsolicited: 'drop',
    idle: { establishedMillis: 10_000, notify: 'silent' },
    exhaustion: 'silent',
    depth: 1,
    hairpin: false,
  },
};

/** `ports kept, idle 300 s, silent, hairpin` for each preset. */
export const presetNote = (name: PresetName): string => natNote(PRESETS[name]);
