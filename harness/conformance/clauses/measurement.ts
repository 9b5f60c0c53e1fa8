import type { Clause } from './clause.ts';

const DOCS = 'Alumet documentation, relay plugins';
const ALUMET = 'observed of Alumet (alumet-dev/alumet, plugins/relay 0.6.0)';
const OURS = 'our extension (reference-impl/measurement-relay)';

/** What agents and servers of measurements owe to whoever reads the points in the end. */
export const MEASUREMENT_CLAUSES: readonly Clause[] = [
  {
    id: 'MEAS-POINT-1',
    level: 'MUST',
    title: 'between our own ends every point is stored exactly once',
    requires:
      'With acknowledgement, spool and a transactional store at both ends, every point an agent made lies in the store, once, as it was made.',
    source: `${OURS}: a batch is acknowledged when it is stored together with its number`,
    wire: 'SendBatch{batch: 7, ...} ... Acknowledge{through: 7}; after a loss OpenSpool -> SpoolOpened{stored: 6}',
    breaks: [
      'what is in flight when the connection dies is dropped (Alumet)',
      'a batch is sent again and stored again',
      'acknowledged before it is committed',
    ],
  },
  {
    id: 'MEAS-POINT-2',
    level: 'MUST',
    title: 'a point is lost or repeated only where a connection was lost',
    requires:
      'Where nobody acknowledges, points are missing or doubled only for agents whose connection a fault with a receipt has cut, and no point is changed.',
    source: `${DOCS}: the client sends all measurements to the server; the protocol has no acknowledgement`,
    wire: 'SendMeasurements ... RST: what was written and not read is gone',
    breaks: [
      'a server that stays frames behind and drops them at FIN (alumet-dev/alumet, 0.9.5)',
      'the end of the stream inside a frame taken for the end of the batch',
    ],
  },
  {
    id: 'MEAS-ACK-1',
    level: 'MUST',
    title: 'what is acknowledged is stored',
    requires: 'A server acknowledges no point that is not in its store.',
    source: `${OURS}: Acknowledge says that all batches up to this one are stored`,
    wire: 'Acknowledge{through: 7} -> the points of batch 7 are in the store',
    breaks: ['acknowledged on arrival, lost with the process'],
  },
  {
    id: 'MEAS-RETRY-1',
    level: 'MUST',
    title: 'retries wait as configured',
    requires:
      'The first retry waits initial_delay, each later one twice the wait before, never more than max_delay.',
    source: `${DOCS}, "Client": initial_delay, max_delay; the delay is multiplied by two after each attempt`,
    wire: 'connection lost -> next SYN after 0.5 s, then 1 s, 2 s, 4 s, 4 s',
    breaks: ['the first wait is not capped (alumet-dev/alumet, 0.9.5)', 'a wait a round trip long'],
  },
  {
    id: 'MEAS-RETRY-2',
    level: 'MUST',
    title: 'retries are counted, and a success starts afresh',
    requires:
      'After a success the next failure is the first again; after max_times retries the client gives up, and not before.',
    source: `${DOCS}, "Client": max_times, the maximum number of retries before giving up`,
    wire: 'connect, Greet, GreetResponse -> the count is 0; max_times retries fail -> no further SYN',
    breaks: [
      'one retry too many (alumet-dev/alumet, 0.9.5)',
      'given up though the server had answered meanwhile',
    ],
  },
  {
    id: 'MEAS-BACK-1',
    level: 'MUST',
    title: 'agents come back to a server that is back',
    requires: 'An agent with retries left is connected again once its server is there and a wait has passed.',
    source: `${DOCS}, "Client": the backoff is applied when a network operation fails, so the operation is tried again`,
    wire: 'server listens again -> Greet, RegisterMetrics, what was not delivered',
    breaks: ['no retry after a FIN without an answer (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MEAS-LATE-1',
    level: 'MUST',
    title: 'a metric may be registered late',
    requires: 'Points of a metric that appears after the first batch are stored under its name.',
    source: `${ALUMET}: RegisterMetrics comes again for late metrics, before any point that uses them`,
    wire: 'SendMeasurements, RegisterMetrics{one more}, SendMeasurements with its id',
    breaks: ['only the metrics known at the connection are registered', 'a point before its registration'],
  },
  {
    id: 'MEAS-NAME-1',
    level: 'MUST',
    title: 'a metric that clashes is renamed after its client',
    requires:
      'Of two definitions of one name the server keeps one, and calls the other <name>_relay-client-<client>; equal definitions are one metric.',
    source: `${ALUMET}: on a clash the server renames to <name>_relay-client-<sender>, then ..._2; an equal definition is the same metric`,
    wire: 'RegisterMetrics{power: F64 W} and RegisterMetrics{power: U64 J} -> power, power_relay-client-b',
    breaks: ['values of two units in one metric', 'a rename where definitions are equal'],
  },
  {
    id: 'MEAS-FLOW-1',
    level: 'SHOULD',
    title: 'a server that cannot keep up pushes back',
    requires:
      'Points come faster than they can be stored: the server stops reading, its memory stays bounded, and connections live on.',
    source: 'TCP (RFC 9293), flow control; no sentence of the documentation obliges it',
    wire: 'a window of 0 while batches wait for the store',
    breaks: ['an unbounded queue before the store', 'connections cut for being busy'],
  },
  {
    id: 'MEAS-LIVE-1',
    level: 'MUST',
    title: 'the measurement server lives through whatever agents do',
    requires: 'Nothing an agent does ends the server.',
    source: `${DOCS}: the server receives measurements from one or multiple clients; one of them must not end it for the others`,
    wire: 'any bytes, any end, at any time',
    breaks: ['EOF in a body spins or ends a task (alumet-dev/alumet, 0.9.5)', 'a panic in the output'],
  },
];
