import type { BenchReport } from './relay-bench.ts';
export const renderBenchPage = (report: BenchReport): string => JSON.stringify(report);
