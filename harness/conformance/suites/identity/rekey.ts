/** New keys for a running channel: ours, the relay's, and both at once. */
import { type ServerContext, serverCases } from '../../case.ts';
import { NotApplicable } from '../../outcome.ts';
import { type Tunnel, tunnel } from './society.ts';

/** Both directions, through both channels. */
const carries = async ({ connector, acceptor }: Tunnel, text: string): Promise<void> => {
  await connector.channel.say(`up, ${text}`);
  await acceptor.channel.expect(`up, ${text}`, 'a message behind the rekey');
  await acceptor.channel.say(`down, ${text}`);
  await connector.channel.expect(`down, ${text}`, 'a message behind the rekey');
};

/** How long the target takes until it renews keys. @throws NotApplicable: an hour is too long to wait for */
const rekeyMillis = (it: ServerContext): number => {
  const millis = it.capabilities.limit('rekeyMillis');
  if (millis === undefined || millis > 12_000)
    throw new NotApplicable(
      'its own rekey would take too long: set one of at most 12 s, and declare it as limits.rekeyMillis',
    );
  return millis;
};

export const REKEY = serverCases(
  {
    name: 'rekey/ours',
    title: 'our rekey is answered under the old key, and messages around it arrive',
    clause: 'ID-REKEY-1',
    needs: [],
    run: async (it) => {
      const all = await tunnel(it);
      const { connector, acceptor } = all;
      await carries(all, 'before');
      await connector.channel.rekey();
      await connector.channel.say('between');
      await acceptor.channel.expect('between', 'what was said before the answer');
      await connector.channel.answered();
      await carries(all, 'after');
    },
  },
  {
    name: 'rekey/both-ends',
    title: 'both ends of a tunnel renew their keys five times in turn',
    clause: 'ID-REKEY-1',
    needs: [],
    run: async (it) => {
      const all = await tunnel(it);
      for (let n = 1; n <= 5; n++)
        for (const { channel } of [all.connector, all.acceptor]) {
          await channel.rekey();
          await channel.answered();
          await carries(all, `rekey ${n}`);
        }
      const seen = new Set(
        [all.connector, all.acceptor].flatMap(({ channel }) =>
          channel.rekeys.flatMap((rekey) => [
            rekey.dhPublicKey.toString('hex'),
            rekey.keySalt.toString('hex'),
          ]),
        ),
      );
      if (seen.size !== 20)
        it.broken('a fresh key and salt in each of ten rekeys', `${seen.size} values of 20`);
    },
  },
  {
    name: 'rekey/theirs',
    title: 'a rekey of the relay is answered by us, and both go on under new keys',
    clause: 'ID-REKEY-3',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const within = rekeyMillis(it) + it.patienceMillis;
      const all = await tunnel(it);
      for (;;) {
        const { type } = await all.connector.channel.next('a rekey of the relay', within);
        if (type === 'rekey') break;
      }
      await carries(all, 'after');
    },
  },
  {
    name: 'rekey/crossing',
    title: 'rekeys of both sides that cross are the answers to each other',
    clause: 'ID-REKEY-2',
    needs: [],
    limitMillis: 40_000,
    run: async (it) => {
      const within = rekeyMillis(it) + it.patienceMillis;
      const all = await tunnel(it);
      const { wire, channel } = all.connector;
      const began = performance.now();
      while (wire.held === 0) {
        if (performance.now() - began > within) it.broken('a rekey of the relay', `none within ${within} ms`);
        await it.wait(10);
      }
      // theirs is here and was not read: ours crosses it
      await channel.rekey();
      await channel.say('between');
      await all.acceptor.channel.expect('between', 'what was said between the rekeys');
      await channel.answered();
      await carries(all, 'after both');
    },
  },
);
