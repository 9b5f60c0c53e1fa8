import type { ServerProfile } from '../../case.ts';
import { CROWD } from './crowd.ts';
import { FRAMES } from './frames.ts';
import { GREETING } from './greeting.ts';
import { METRICS } from './metrics.ts';
import { POINTS } from './points.ts';

/** A relay server of measurements, as its clients meet it and as the file shows that it writes. */
export const MEASUREMENT_SERVER: ServerProfile = {
  name: 'measurement-server',
  role: 'server',
  summary:
    'a relay server of measurements (Alumet) as its clients meet it; what it stores is read from {output}',
  capabilities: {
    csv: "writes what it stores to {output}, a CSV file in Alumet's columns",
    signals: 'ends by SIGTERM and SIGINT',
  },
  placeholders: { output: "the CSV file it must write what it stores to, in Alumet's columns" },
  // most of them wait for a store several times over
  cases: [...GREETING, ...FRAMES, ...METRICS, ...POINTS, ...CROWD].map((item) => ({
    limitMillis: 60_000,
    ...item,
  })),
};
