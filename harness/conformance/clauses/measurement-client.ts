import type { Clause } from './clause.ts';

const DOCS = 'Alumet documentation, relay plugins';
const WIRE = 'protocol as implemented: alumet-dev/alumet, plugins/relay 0.6.0, both ends';
const ASKED = 'no sentence obliges it; asked for because';

/** What a relay client of measurements owes to its server and to whoever runs it. */
export const MEASUREMENT_CLIENT_CLAUSES: readonly Clause[] = [
  {
    id: 'MCLI-GREET-1',
    level: 'MUST',
    title: 'it greets first and waits for the answer',
    requires:
      'The first frame of a connection is a Greet of version 2; nothing follows before a GreetResponse.',
    source: `${WIRE}: 1. Greet, 2. GreetResponse, 3. RegisterMetrics`,
    wire: 'SYN, Greet, ... silence until GreetResponse',
    breaks: ['registration in the same segment, lost by servers that read one frame at a time'],
  },
  {
    id: 'MCLI-GREET-2',
    level: 'SHOULD',
    title: 'a mismatch of versions is not tried again',
    requires: 'A refusal, or an answer of another version, ends the client with an error; no point is sent.',
    source: `${WIRE}: a version mismatch is never retried, for it would be the same again`,
    wire: 'GreetResponse{accept: false} -> no SYN, exit code other than 0',
    breaks: ['accept = true believed whatever its version (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-GREET-3',
    level: 'MUST',
    title: 'it says the name it was given',
    requires: 'The sender of its messages is the client_name of its configuration.',
    source: `${DOCS}, "Client": client_name, "the name that this client will use to identify itself to the collector server"`,
    wire: 'sender "node-7"',
    breaks: ['the host name all the same', 'the name in the Greet only'],
  },
  {
    id: 'MCLI-FRAME-1',
    level: 'MUST',
    title: 'its frames are those of the protocol',
    requires:
      'Each frame is a length of at most 32,000,000 and one postcard value of the schema that fills it.',
    source: `${WIRE}: u32 length in network order, then one value`,
    wire: '0000001c ...',
    breaks: ['a length that counts itself', 'fields in another order'],
  },
  {
    id: 'MCLI-FRAME-2',
    level: 'MUST',
    title: 'answers are read wherever segments end',
    requires: 'A GreetResponse in single bytes is a GreetResponse.',
    source: `${WIRE}: frames on TCP, a stream of bytes (RFC 9293)`,
    wire: '00 | 00 | 00 | 10 | ...',
    breaks: ['one read taken for one message'],
  },
  {
    id: 'MCLI-METRIC-1',
    level: 'MUST',
    title: 'metrics are registered before their points',
    requires: 'On each connection every metric is registered before the first point that uses it.',
    source: `${WIRE}: 3. RegisterMetrics, before any point that uses them, again for late ones`,
    wire: 'Greet, RegisterMetrics{.. 7 ..}, SendMeasurements{7}',
    breaks: ['registration forgotten after a reconnect'],
  },
  {
    id: 'MCLI-METRIC-2',
    level: 'MUST',
    title: 'ids, names and units stay what they are',
    requires: 'Within a connection no id gets another meaning, no name two ids, no id is above 65535.',
    source: `${WIRE}: the server maps ids per connection and accepts up to 65535`,
    wire: 'RegisterMetrics{7: mem_total}, never RegisterMetrics{7: other}',
    breaks: ['ids that count over all connections'],
  },
  {
    id: 'MCLI-POINT-1',
    level: 'MUST',
    title: 'its points are points',
    requires:
      'Each point has a value of the type of its metric, nanoseconds below 10^9, a time of this day and a well-formed resource and consumer.',
    source: `${WIRE}: a server drops points that do not fit their metric, resource kind or calendar`,
    wire: 'value U64 of a U64 metric; cpu_core/3',
    breaks: ['milliseconds in secs', 'cpu_core/all'],
  },
  {
    id: 'MCLI-BATCH-1',
    level: 'SHOULD',
    title: 'a batch has at most buffer_max_length points',
    requires: 'No SendMeasurements has more points than buffer_max_length, unless one poll alone has.',
    source: `${DOCS}, "Client": buffer_max_length, "Maximum number of elements to keep in the output buffer"; polls are not split`,
    wire: 'SendMeasurements{buf: 8 points} at buffer_max_length 10',
    breaks: ['the length looked at after the points were added'],
  },
  {
    id: 'MCLI-BATCH-2',
    level: 'MUST',
    title: 'points wait no longer than buffer_timeout',
    requires:
      'While sources speak, points are sent at the latest when buffer_timeout has passed since the last send.',
    source: `${DOCS}, "Client": buffer_timeout, "Maximum amount of time to wait before sending the measurements to the server"`,
    wire: 'buffer_timeout 500ms: a SendMeasurements at least every 500 ms and a poll',
    breaks: ['only a full buffer is sent'],
  },
  {
    id: 'MCLI-BATCH-3',
    level: 'SHOULD',
    title: 'an empty batch is not sent',
    requires: 'A SendMeasurements has points.',
    source: `${ASKED} it says nothing; legal all the same`,
    wire: '.. 03 00',
    breaks: ['a first poll larger than the buffer (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-BACK-1',
    level: 'MUST',
    title: 'a new connection begins anew',
    requires:
      'After a lost connection the next one has Greet, RegisterMetrics and then points, in this order.',
    source: `${WIRE}: reconnect + Greet + RegisterMetrics + the failed message again; the server knows ids per connection`,
    wire: 'RST, SYN, Greet, RegisterMetrics, SendMeasurements',
    breaks: ['points with ids the new connection does not know'],
  },
  {
    id: 'MCLI-BACK-2',
    level: 'SHOULD',
    title: 'a server that went away in order is noticed',
    requires:
      'After the FIN of its server the client connects again before the points of many polls are lost.',
    source: `${ASKED} a restarted server ends its connections by FIN`,
    wire: 'FIN, SYN, Greet',
    breaks: ['noticed at the second write, the first is lost (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-BACK-3',
    level: 'SHOULD',
    title: 'a connection lost in the greeting is tried again',
    requires: 'FIN or RST before or within the answer to a Greet is an error like a refused connection.',
    source: `${DOCS}, "Client": the backoff "is applied when a network operation fails"`,
    wire: 'Greet, FIN -> SYN after initial_delay',
    breaks: ['given up at once, and EOF within the answer spins (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-BACK-4',
    level: 'SHOULD',
    title: 'giving up shows in the exit code',
    requires: 'A client that has given up its server ends, with an exit code other than 0.',
    source: `${ASKED} it goes on measuring for nothing otherwise`,
    wire: 'max_times retries failed -> exit 1',
    breaks: ['only the relay output ends (alumet-dev/alumet, 0.9.5, in the middle of a stream)'],
  },
  {
    id: 'MCLI-STOP-1',
    level: 'SHOULD',
    title: 'what is buffered is sent before the end',
    requires:
      'SIGINT and SIGTERM end the client with exit code 0 once its buffer is sent and the connection closed by FIN.',
    source: `${ASKED} an agent that is stopped before its first full buffer has delivered nothing otherwise`,
    wire: 'SIGTERM -> SendMeasurements, FIN, exit 0',
    breaks: ['the buffer is dropped (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-STOP-2',
    level: 'SHOULD',
    title: 'no server keeps it from ending',
    requires:
      'SIGINT ends the client within 15 seconds also when its server reads nothing, answers nothing or is away.',
    source: `${ASKED} service managers kill what does not end`,
    wire: 'a window of 0, SIGINT -> the process is gone',
    breaks: ['a write without limit (alumet-dev/alumet, 0.9.5)'],
  },
  {
    id: 'MCLI-LIVE-1',
    level: 'SHOULD',
    title: 'answers that make no sense do not crash it',
    requires:
      'An undecodable answer, a wrong one or one too long is an error, never a crash, a flood of dials or a busy loop.',
    source: `${ASKED} the port may belong to another program`,
    wire: 'HTTP/1.1 400 Bad Request',
    breaks: ['allocating 1.2 GB for "HTTP" as a length', 'EOF in a body spins (alumet-dev/alumet, 0.9.5)'],
  },
];
