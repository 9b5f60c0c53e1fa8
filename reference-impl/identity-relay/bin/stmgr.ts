#!/usr/bin/env node
/** `stmgr gen-ident`, `stmgr relay-ticket`, `stmgr show`; see `stmgr --help`. */
import { stmgr } from './stmgr-command-line.ts';

process.exitCode = stmgr(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
