/** Node's own SQLite, asked for where a file is opened: a program that stores nothing runs on a Node without it. */
import type { DatabaseSync, DatabaseSyncOptions } from 'node:sqlite';

/** @throws Error on a Node that has none (which it is, and what to do), and as `new DatabaseSync` does */
export const openDatabase = (path: string, options: DatabaseSyncOptions = {}): DatabaseSync => {
  const sqlite = process.getBuiltinModule?.('node:sqlite');
  if (sqlite === undefined)
    throw new Error(
      `${path} is an SQLite file, and Node ${process.versions.node} has no SQLite: use Node 22.13 or newer, or another output`,
    );
  return new sqlite.DatabaseSync(path, options);
};
