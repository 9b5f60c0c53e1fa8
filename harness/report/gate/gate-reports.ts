/** The files a run of the gate leaves: all printed from one value, so none can differ from report.json. */
import { join } from 'node:path';
import type { GateModel } from '../../conformance/gate.ts';

/** @returns the path to name at the end */
export const writeGateReports = (
  folder: string,
  model: GateModel,
  write: (path: string, text: string) => void,
): string => {
  const json = join(folder, 'report.json');
  write(json, `${JSON.stringify(model, undefined, 2)}\n`);
  return json;
};
