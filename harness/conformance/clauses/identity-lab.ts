import type { Clause } from './clause.ts';

const NOTES = "Offset's relay protocol as the protocol notes have it";
const OURS = 'relaylab rulings, "Verdicts"';

/** What a run with an identity relay shows: nodes that stay reachable, tunnels that lose nothing, a wire that tells nothing. */
export const IDENTITY_LAB_CLAUSES: readonly Clause[] = [
  {
    id: 'IDLAB-LEDGER-1',
    level: 'MUST',
    title: 'no message of a tunnel is lost, changed or reordered',
    requires:
      'Every message arrives as it was sent and in its order; only the end of a tunnel that broke may be missing.',
    source: `${OURS}: a hole, repeat, reorder or foreign byte fails`,
    wire: 'messages carry tunnel and number, and bytes that follow from both; each is echoed',
    breaks: ['messages dropped while keys are renewed', 'early data that is forgotten'],
  },
  {
    id: 'IDLAB-REKEY-1',
    level: 'MUST',
    title: 'keys are renewed in time',
    requires:
      'Both directions of a connection begin again with nonce 0 under a new key once the time is over.',
    source: `${NOTES}: layer 3, rekey`,
    wire: 'nonce 0 after nonce n, within the rekey time and what a busy machine needs',
    breaks: ["a rekey that waits for an answer that was crossed by the other side's own"],
  },
  {
    id: 'IDLAB-NONCE-1',
    level: 'MUST',
    title: 'nonces count strictly',
    requires:
      'Each sealed frame of a direction has the nonce after the one before it, from 0 under each key.',
    source: `${NOTES}: layer 3, the counter is the nonce`,
    wire: '12 bytes, little-endian, before the sealed text',
    breaks: ['one counter for two keys', 'a frame that is sealed and not sent'],
  },
  {
    id: 'IDLAB-PAD-1',
    level: 'MUST',
    title: 'padding is bounded, and not constant',
    requires: 'Frames that say the same have different lengths, within the 255 bytes that padding may have.',
    source: `${NOTES}: layer 3, random padding of every message`,
    wire: 'sizes of the sealed frames of a connection that only listens',
    breaks: ['padding drawn once', 'padding that is left out where there is no payload'],
  },
  {
    id: 'IDLAB-SEAL-1',
    level: 'MUST',
    title: 'nothing of the payload is seen on the wire',
    requires: 'No frame shows a text that is known to be in every message.',
    source: `${NOTES}: layer 3, messages are sealed`,
    wire: 'eight bytes that stand in every message are looked for in every frame',
    breaks: ['a relay that passes on what it has opened'],
  },
  {
    id: 'IDLAB-KEEP-1',
    level: 'MUST',
    title: 'a keepalive is sent in time',
    requires: 'On an open connection each side sends something at least once in each keepalive interval.',
    source: `${NOTES}: layer 4, keepalive`,
    wire: 'the longest gap between two frames sent; a busy machine has 1.5 s',
    breaks: ['a timer that is set anew by what is received'],
  },
  {
    id: 'IDLAB-SILENT-1',
    level: 'MUST',
    title: 'a silent connection is given up in time, and not before',
    requires: 'Who hears nothing for the time of silence ends the connection; nobody does so earlier.',
    source: `${NOTES}: layer 4, keepalive`,
    wire: 'milliseconds since the last byte heard, which may be a rekey: that is no message',
    breaks: ['TCP that hides a mapping which is gone'],
  },
  {
    id: 'IDLAB-MAP-1',
    level: 'MUST',
    title: 'a mapping longer than the keepalive keeps a node reachable',
    requires:
      'Behind a NAT that keeps idle mappings longer than the keepalive only a fault ends a connection.',
    source: `${NOTES}: layer 4: what keepalive is for`,
    wire: 'no loss by silence at such a site but after its own fault or one of the relay',
    breaks: ['a keepalive in one direction only'],
  },
  {
    id: 'IDLAB-BACK-1',
    level: 'MUST',
    title: 'a node that was lost is reachable again',
    requires:
      'After a loss a node listens again once the relay is there, the old connection is forgotten and a wait is over.',
    source: `${NOTES}: relay behaviour, a node keeps itself reachable`,
    wire: 'listening after lost, within silence, wait and handshake',
    breaks: ['a relay that keeps a listener that is gone, and refuses the new one for ever'],
  },
  {
    id: 'IDLAB-TWIN-1',
    level: 'MUST',
    title: 'a second listener does not push out the first',
    requires: 'Who listens under a key that listens already is turned away; the first one stays.',
    source: `${NOTES}: relay behaviour, duplicate listen`,
    wire: 'the second connection is closed; the first is not',
    breaks: ['a map that is overwritten'],
  },
  {
    id: 'IDLAB-IMPOSTOR-1',
    level: 'MUST',
    title: 'nobody has a key that they cannot sign for',
    requires: 'Who shows a key without its signature is turned away and gets no tunnel.',
    source: `${NOTES}: layer 3, the handshake's signature`,
    wire: 'the connection is closed after ExchangeDh',
    breaks: ['a signature over the wrong fields', 'a handshake that believes the first message'],
  },
  {
    id: 'IDLAB-HALF-1',
    level: 'MUST',
    title: 'a half tunnel that nobody claims is ended in time',
    requires: 'A connector that is not accepted within the time is closed, and not before.',
    source: `${NOTES}: relay behaviour, half tunnels`,
    wire: 'milliseconds from the call to its end',
    breaks: ['half tunnels that only a restart removes'],
  },
];
