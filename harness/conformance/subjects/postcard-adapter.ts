#!/usr/bin/env node
/** Our postcard codec before the gate: `relaylab conformance postcard --exec 'harness/conformance/subjects/postcard-adapter.ts'`. */
import { serveLines } from './json-lines.ts';
import { answer } from './postcard-answers.ts';

serveLines(answer);
