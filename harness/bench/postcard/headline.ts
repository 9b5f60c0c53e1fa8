/** The one sentence of a run, made of its own figures. */
import type { Row } from '../measure.ts';
import type { Estimate } from '../statistics.ts';
import type { CodecReport } from './codec-bench.ts';
import { OURS, RIVALS } from './names.ts';
import { ratioOverStarts } from './over-starts.ts';
import type { Raced } from './race.ts';

/** A contender in both directions of workload A. */
export type Standing = {
  readonly name: string;
  readonly own: boolean;
  readonly bytesPerPoint: number | undefined;
  readonly write: Row | undefined;
  readonly read: Row | undefined;
  /** How many times as fast as the base; undefined without figures of both. */
  readonly writeTimes: Estimate | undefined;
  readonly readTimes: Estimate | undefined;
};

/** Against whom the overview counts: the fastest general codec that most people reach for. */
export const BASE = RIVALS.records;

const rowOf = (race: Raced | undefined, name: string): Row | undefined =>
  race?.rows.find((row) => row.name === name && row.estimate.rounds > 0);

const timesOf = (base: Row | undefined, row: Row | undefined, starts: number): Estimate | undefined =>
  base === undefined || row === undefined ? undefined : ratioOverStarts(base.values, row.values, starts);

/** Everybody of workload A, the fastest first. Empty when it was not run. */
export const standings = (report: CodecReport): readonly Standing[] => {
  const [write, read] = ['A-encode', 'A-decode'].map((id) => report.races.find((race) => race.id === id));
  const names = [...new Set([...(write?.rows ?? []), ...(read?.rows ?? [])].map(({ name }) => name))];
  const rows = names.flatMap((name): readonly Standing[] => {
    const [out, back] = [rowOf(write, name), rowOf(read, name)];
    if (out === undefined && back === undefined) return [];
    return [
      {
        name,
        own: (out ?? back)?.own === true,
        bytesPerPoint: out?.beside.bytes,
        ...{ write: out, read: back },
        writeTimes: timesOf(rowOf(write, BASE), out, write?.starts ?? 1),
        readTimes: timesOf(rowOf(read, BASE), back, read?.starts ?? 1),
      },
    ];
  });
  const cost = ({ write: out, read: back }: Standing): number =>
    (out?.estimate.value ?? 0) + (back?.estimate.value ?? out?.estimate.value ?? 0);
  return rows.sort((a, b) => cost(a) - cost(b));
};

const said = (value: number): string => value.toFixed(1);

/** What somebody who chooses wants to know first; undefined when workload A was not run. */
export const headline = (report: CodecReport): string | undefined => {
  const all = standings(report);
  const ours = all.find(({ name }) => name === OURS.objects);
  const base = all.find(({ name }) => name === BASE);
  if (ours?.writeTimes === undefined || ours.readTimes === undefined || base === undefined) return undefined;
  const share = ((ours.bytesPerPoint ?? Number.NaN) / (base.bytesPerPoint ?? Number.NaN)) * 100;
  return `postcard-ts writes measurements ${said(ours.writeTimes.value)} times as fast as msgpackr, reads them ${said(ours.readTimes.value)} times as fast, and takes ${share.toFixed(0)} % of the bytes`;
};
