import type { ReportModel } from './model.ts';

/** Changes only when a field is renamed or removed; additions keep it. */
export const REPORT_FORMAT = 'relaylab-report/1';

/** report.json: the model itself, so that whatever a page shows can be read by a program. */
export const renderJson = (model: ReportModel): string =>
  `${JSON.stringify({ format: REPORT_FORMAT, ...model }, undefined, 1)}\n`;
