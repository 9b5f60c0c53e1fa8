import type { ClientProfile } from '../../case.ts';
import { ENDING } from './ending.ts';
import { RETRYING } from './retrying.ts';
import { PLACEHOLDERS } from './server-side.ts';
import { TALKING } from './talking.ts';

/** A relay client of measurements, as its server and whoever runs it meet it. */
export const MEASUREMENT_CLIENT: ClientProfile = {
  name: 'measurement-client',
  role: 'client',
  summary: 'a relay client of measurements (Alumet) as its server meets it: batches, retries, its end',
  capabilities: {},
  placeholders: PLACEHOLDERS,
  // a program starts in each, and several at a time
  cases: [...TALKING, ...RETRYING, ...ENDING].map((item) => ({ limitMillis: 40_000, ...item })),
};
