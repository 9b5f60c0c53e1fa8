/** What each workload is, in the words of whoever has to choose a format. */
import type { Workload } from './race.ts';

export const WORKLOAD_WORDS: Readonly<
  Record<Workload['id'], { readonly title: string; readonly words: string }>
> = {
  A: {
    title: 'A: bulk measurements',
    words:
      'Messages of a measurement relay: a sender and hundreds of points, each with a metric, a time stamp, a number, four names and two attributes. Names repeat as they do on a real node; 16 different messages take turns.',
  },
  B: {
    title: 'B: small messages',
    words:
      'Eight numbers of all widths in one message: what a call or an event costs. 512 different messages take turns.',
  },
  C: {
    title: 'C: text and blobs',
    words: 'A number and one long string or byte array, written into a buffer that is used again.',
  },
  D: {
    title: 'D: COBS framing',
    words:
      'Bodies stuffed so that no byte is zero, and back, beside the crate and the npm package of that name.',
  },
  E: {
    title: 'E: splitting a stream',
    words: 'Length-prefixed frames cut out of a stream that arrives in chunks of any size.',
  },
};
