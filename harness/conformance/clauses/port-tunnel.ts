import type { Clause } from './clause.ts';

const README = 'lyondhill/relay README';

/** What a port relay owes its users and its process: streams, ends, bytes, ids, ports. */
export const PORT_TUNNEL_CLAUSES: readonly Clause[] = [
  {
    id: 'PORT-MUX-1',
    level: 'MUST',
    title: 'every user is one stream',
    requires:
      'In multiplex mode the relay opens one yamux stream for each user connection, towards the client.',
    source: `${README}, "For Multiplexing": the relay client is a server in the multiplexed connection`,
    wire: 'relay: 00 01 0001 00000001 00000000 (SYN, stream 1)',
    breaks: ['two users share a stream', 'the relay waits for the client to open streams'],
  },
  {
    id: 'PORT-MUX-2',
    level: 'MUST',
    title: 'a stalled stream stalls alone',
    requires: 'A user that does not read stops its own stream and no other one of the session.',
    source: 'hashicorp/yamux spec.md, "Flow Control"; the README names yamux as the multiplex protocol',
    wire: 'no WindowUpdate for stream 1; Data of streams 3, 5, ... goes on',
    breaks: ['one buffer for all streams', 'fatedier/frp#2987', 'hashicorp/yamux#142'],
  },
  {
    id: 'PORT-MUX-3',
    level: 'MUST',
    title: 'the relay is the client of the session',
    requires: 'The streams that the relay opens have odd ids, and none is used twice.',
    source: `${README}, "For Multiplexing": the relay client is a server in the multiplexed connection; hashicorp/yamux spec.md, "Stream ID"`,
    wire: 'relay: SYN of stream 1, 3, 5',
    breaks: ['both sides take the same role'],
  },
  {
    id: 'PORT-MUX-4',
    level: 'MUST',
    title: 'the window is kept',
    requires:
      'The relay sends no more of a stream than its window allows, and goes on by just what is granted.',
    source: 'hashicorp/yamux spec.md, "Flow Control"',
    wire: '262,144 bytes, then silence until a WindowUpdate',
    breaks: ['the window is ignored', 'a grant of few bytes is not used'],
  },
  {
    id: 'PORT-MUX-5',
    level: 'MUST',
    title: 'the end of a session ends its port',
    requires:
      'When the connection of a multiplexed client ends, its public port stops taking users, and users it had learn it.',
    source: `${README}, "For Multiplexing": that connection carries every user; without it none can be served`,
    wire: 'client: FIN -> a later user is refused, an earlier one sees the end',
    breaks: ['the port stays open and users hang'],
  },
  {
    id: 'PORT-MUX-6',
    level: 'MUST',
    title: 'a ping is answered',
    requires: 'A yamux Ping with SYN is answered by one with ACK and the same value.',
    source: 'hashicorp/yamux spec.md, "Ping"',
    wire: '00 02 0001 00000000 deadbeef -> 00 02 0002 00000000 deadbeef',
    breaks: ['pings wait behind data', 'hashicorp/yamux#12'],
  },
  {
    id: 'PORT-DATA-1',
    level: 'MUST',
    title: 'every byte arrives once, in order, where it belongs',
    requires:
      'What one side of a tunnel sends is what the other side gets: nothing lost, repeated, changed or from another tunnel.',
    source: `${README}: <- pipe ->`,
    wire: 'position-coded bytes in both directions of many tunnels at once',
    breaks: [
      'shared buffers',
      'a chunk written after its socket was paused is dropped',
      'lengths checked instead of bytes',
    ],
  },
  {
    id: 'PORT-FLOW-1',
    level: 'SHOULD',
    title: 'a slow reader holds its writer back',
    requires:
      'While one side does not read, the relay soon stops taking bytes from the other, and keeps few itself.',
    source: 'TCP (RFC 9293) has flow control; no sentence of the README obliges a relay to pass it on',
    wire: 'user reads nothing: the service blocks after a few MiB',
    breaks: ['everything is buffered', 'hierynomus/sshj#658', 'hyperium/hyper#4049'],
  },
  {
    id: 'PORT-END-1',
    level: 'MUST',
    title: "a user's half-close keeps the answer",
    requires:
      "After a user has ended its half the service learns it, and the service's answer still reaches the user, to its end.",
    source: `${README}: <- pipe ->; the end of either side is passed on, and both are closed when both are done`,
    wire: 'user: FIN ... service: 64 KiB, FIN -> user gets 64 KiB, FIN',
    breaks: ['both directions end with the first', 'fatedier/frp#4967', 'envoyproxy/envoy#2067'],
  },
  {
    id: 'PORT-END-2',
    level: 'MUST',
    title: "the service's end reaches the user",
    requires: 'When the service has ended its half, the user gets every byte of it and then the end.',
    source: `${README}: when it is done being used it will disconnect`,
    wire: 'service: 1 MiB, FIN -> user: 1 MiB, FIN',
    breaks: ["the service's close is not passed on (lyondhill/relay, pool)"],
  },
  {
    id: 'PORT-END-3',
    level: 'MUST',
    title: 'an abort ends the other side',
    requires: 'When a user resets its connection the service learns that it is over.',
    source: `${README}: when it is done being used it will disconnect`,
    wire: 'user: RST -> service: RST (or FIN)',
    breaks: ['the service keeps a dead connection for ever'],
  },
  {
    id: 'PORT-END-4',
    level: 'SHOULD',
    title: 'an abort stays an abort',
    requires: 'A reset arrives as a reset, so that a cut-off transfer is not taken for a complete one.',
    source: 'TCP (RFC 9293): FIN says that all was sent; no sentence of the README obliges it',
    wire: 'user: RST -> service: RST',
    breaks: ['stream.pipeline of Node turns RST into FIN'],
  },
  {
    id: 'PORT-ID-1',
    level: 'MUST',
    title: 'ids cannot be guessed',
    requires:
      'Ids of pools and events come from a secure random source: at least 40 bits, none twice, no pattern.',
    source: 'the id is the only secret of the protocol: whoever knows a pool id receives its users',
    wire: '"4F356C83F4\\n" (10 hex digits)',
    breaks: ['counters', 'time stamps', 'a seed at start-up'],
  },
  {
    id: 'PORT-PORT-1',
    level: 'MUST',
    title: 'a public port belongs to one registration',
    requires: 'No two registrations that live at the same time are given the same public port.',
    source: `${README}: the port it has available for communication`,
    wire: '"4001\\n" to one client only',
    breaks: ['ports counted without asking the system'],
  },
  {
    id: 'PORT-LIVE-1',
    level: 'MUST',
    title: 'the relay lives through whatever peers do',
    requires: 'Nothing a client or user does ends the relay process.',
    source: 'a relay serves many; one of them must not end it for the others',
    wire: 'any bytes, any end, at any time',
    breaks: ['log.Fatal in a connection handler (lyondhill/relay)', 'concurrent map writes'],
  },
];
