import { PROFILES } from 'chaos-proxy';
import t from 'tap';
import { packetLink } from '../packet-form.ts';
import { linkLines, lossTable, needsTunnel, openLines, qdiscLines, shutLines } from './packet-lines.ts';

const mobile = packetLink(PROFILES.mobile.faults);
const lossy = packetLink(PROFILES.lossy.faults);

t.test('without netem a rate is a token bucket for each direction', async (t) => {
  t.same(qdiscLines(mobile, false), [
    'tc qdisc replace dev wan0 root tbf rate 4000000bit burst 5000 limit 250000',
    'tc qdisc replace dev lan0 root tbf rate 12000000bit burst 15000 limit 750000',
  ]);
  t.same(qdiscLines(lossy, false), []);
  t.ok(needsTunnel(mobile, false));
});

t.test('netem does all of it in one place, and needs no tunnel', async (t) => {
  t.same(qdiscLines(mobile, true), [
    'tc qdisc replace dev wan0 root netem limit 20000 delay 60ms 25ms rate 4000000bit',
    'tc qdisc replace dev lan0 root netem limit 20000 delay 60ms 25ms rate 12000000bit',
  ]);
  t.match(qdiscLines(lossy, true)[0], /delay 40ms 10ms loss 3%$/);
  t.notOk(needsTunnel(mobile, true));
  t.notMatch(lossTable(lossy, true), 'numgen');
});

t.test('loss is drawn for each packet, of one frame each', async (t) => {
  const rules = lossTable(lossy, false);
  t.match(rules, 'numgen random mod 1000000 < 30000 counter name "up_lost" drop');
  t.match(rules, 'numgen random mod 1000000 < 30000 counter name "down_lost" drop');
  t.match(linkLines(lossy, false).slice(0, 2), [
    'ip link set wan0 gso_max_segs 1',
    'ip link set lan0 gso_max_segs 1',
  ]);
  t.notMatch(linkLines(mobile, false).join('\n'), /gso_max_segs|numgen/);
});

t.test('a stall shuts and opens the directions it names', async (t) => {
  t.same(shutLines(['up']), ['nft add rule ip lablink stall_up counter name "stalled_up" drop']);
  t.same(openLines(['up', 'down']), [
    'nft flush chain ip lablink stall_up',
    'nft flush chain ip lablink stall_down',
  ]);
});
