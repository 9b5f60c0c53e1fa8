import type { Clause } from './clause.ts';

const README = 'lyondhill/relay README';

/** What a client of a port relay owes its relay and the service behind it. */
export const PORT_CLIENT_CLAUSES: readonly Clause[] = [
  {
    id: 'PORT-CLIENT-1',
    level: 'MUST',
    title: 'a client registers with its mode and nothing else',
    requires:
      'The first bytes of a registering connection are the lines of its mode, and no other byte follows before the answer.',
    source: `${README}, "Integrate relay into your server": multiplex, pool new, event new`,
    wire: '"multiplex\\n" | "pool\\nnew\\n" | "event\\nnew\\n"',
    breaks: ['yamux frames before the port line', 'a version line'],
  },
  {
    id: 'PORT-CLIENT-2',
    level: 'MUST',
    title: 'an answer is read in any segments',
    requires:
      'Port and id lines mean the same in one segment or many, also with the first bytes of a user right behind them.',
    source: `${README}: lines ended by \\n; TCP (RFC 9293) is a stream without borders`,
    wire: '"4001\\n4F356C83F4\\n" and payload in one segment',
    breaks: ['one read is taken for one line', 'a buffered reader that is thrown away'],
  },
  {
    id: 'PORT-CLIENT-3',
    level: 'MUST',
    title: 'a tunnel reaches the service',
    requires:
      'What a user says arrives at the service, and what the service says at the user, each once and in order.',
    source: `${README}: <- pipe ->`,
    wire: 'user: "ping" -> service: "ping"; service: "pong" -> user: "pong"',
    breaks: ['the first bytes are lost while the service is dialled'],
  },
  {
    id: 'PORT-CLIENT-4',
    level: 'MUST',
    title: 'ends are passed on one by one',
    requires:
      "The user's FIN reaches the service while its answer still flows, and the service's FIN ends the answer.",
    source: `${README}: <- pipe ->; when it is done being used it will disconnect`,
    wire: 'user: FIN; service: 64 KiB, FIN',
    breaks: ['both halves end with the first', 'the close of the service is not passed on'],
  },
  {
    id: 'PORT-CLIENT-5',
    level: 'MUST',
    title: 'every announced user is claimed',
    requires:
      'For each id line of an event listener the client opens a connection that says `event` and that id.',
    source: `${README}, "For Event listeners": when the id is received a new connection should be made`,
    wire: 'relay: "A\\nB\\nC\\n" -> three connections, one an id',
    breaks: [
      'lines that share a segment are lost',
      'ids are claimed one after the other, each after the last has ended',
    ],
  },
  {
    id: 'PORT-CLIENT-6',
    level: 'MUST',
    title: 'a pool is filled up again',
    requires:
      'A pooled connection that was taken by a user is replaced by a new one that says `pool` and the id.',
    source: `${README}, "For Connection Pools": connections are added to the pool by its id`,
    wire: 'client: "pool\\n4F356C83F4\\n"',
    breaks: ['the pool runs dry', 'localtunnel/localtunnel#351'],
  },
  {
    id: 'PORT-CLIENT-7',
    level: 'MUST',
    title: 'the client is the server of the session',
    requires: 'A multiplexed client accepts the streams that the relay opens, with odd ids.',
    source: `${README}, "For Multiplexing": the relay client is a server in the multiplexed connection`,
    wire: 'relay: SYN of stream 1; client: ACK',
    breaks: ['the forwarder opens its session as yamux client (lyondhill/relay)'],
  },
  {
    id: 'PORT-CLIENT-8',
    level: 'MUST',
    title: 'a service that is away costs one user',
    requires: 'When the service cannot be reached that user is disconnected, and the client goes on.',
    source:
      'a relay serves many through each client: one user that cannot be served must not end it for the others',
    wire: 'service: RST of SYN -> user: FIN or RST',
    breaks: ['one refused dial ends the forwarder (lyondhill/relay)'],
  },
  {
    id: 'PORT-CLIENT-9',
    level: 'SHOULD',
    title: 'a client comes back by itself',
    requires: 'A client that has lost its relay registers again when the relay is there.',
    source: 'no sentence of the README obliges it; a service behind a NAT has nobody to restart it',
    wire: 'relay: FIN; a little later: a new registration',
    breaks: ['the loss of the relay ends the forwarder (lyondhill/relay)'],
  },
  {
    id: 'PORT-CLIENT-10',
    level: 'SHOULD',
    title: 'a client that comes back does not hammer',
    requires: 'While a relay refuses or closes at once, the waits between attempts grow.',
    source: 'no sentence of the README obliges it; a fleet that hammers keeps a relay from coming back',
    wire: 'at most twelve attempts in five seconds',
    breaks: ['instant re-dials (localtunnel/localtunnel#351)', 'gravitational/teleport#6889'],
  },
  {
    id: 'PORT-CLIENT-11',
    level: 'MUST',
    title: 'an answer that is none harms nobody',
    requires:
      'An answer that is no port, or never ends, neither crashes the client nor grows its memory without bound.',
    source: `${README}: the answer is a port; what else may come over a network is not`,
    wire: '"HTTP/1.1 400 Bad Request\\r\\n", or 1 MiB without a newline',
    breaks: ['a parse error that is thrown', 'lines without a limit'],
  },
];
