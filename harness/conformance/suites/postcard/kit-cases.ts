/** Cases about the conversation itself: ids, and what one request leaves behind for the next. */
import type { AdapterContext, Case } from '../../case.ts';
import { Broken } from '../../outcome.ts';
import { type Ask, foundIn, lackedBy, shuffled } from './asking.ts';
import { decodeAsk, encodeAsk, invalidAsk } from './codec-asks.ts';
import { invalid, values } from './vectors.ts';

const ID_ASKS = 100;
const STATE_ASKS = 400;
/** Of so many requests one meets an adapter that has just been started. */
const RESTART_ONE_IN = 100;

const everything = (): readonly Ask[] => [
  ...values().flatMap((vector) => [encodeAsk(vector), decodeAsk(vector)]),
  ...invalid()
    .filter((vector) => vector.class === 'spec')
    .map(invalidAsk),
];

const answersToIds = async (it: AdapterContext): Promise<void> => {
  for (const ask of shuffled(it, everything()).slice(0, ID_ASKS)) {
    const reply = await it.ask(ask.request);
    if (reply.type === 'breach')
      throw new Broken(
        'one line of JSON in answer to each request, with its id',
        `${ask.name}: ${reply.text}`,
      );
  }
};

/** A vector that fails here and holds for a fresh adapter: something before it was left behind. */
const forgets = async (it: AdapterContext): Promise<void> => {
  const asks = shuffled(it, everything()).filter((ask) => lackedBy(it, ask) === undefined);
  let before = 'the start';
  for (const ask of asks.slice(0, STATE_ASKS)) {
    if (it.rng.below(RESTART_ONE_IN) === 0) {
      await it.restart();
      before = 'the start';
    }
    const found = foundIn(ask, await it.ask(ask.request));
    if (found.type === 'wrong') {
      await it.restart();
      const again = foundIn(ask, await it.ask(ask.request));
      if (again.type !== 'wrong')
        throw new Broken(`${ask.name} as a fresh adapter answers it`, `after ${before}: ${found.text}`);
    }
    before = ask.name;
  }
};

export const KIT_CASES: readonly Case<AdapterContext>[] = [
  {
    name: 'kit/ids',
    title: 'each request is answered once, with its id',
    clause: 'POSTCARD-KIT-1',
    needs: [],
    run: answersToIds,
  },
  {
    name: 'kit/state',
    title: 'an answer does not depend on what was asked before',
    clause: 'POSTCARD-KIT-2',
    needs: [],
    run: forgets,
  },
];
