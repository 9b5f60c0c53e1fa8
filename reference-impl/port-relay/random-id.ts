import { randomBytes } from 'node:crypto';

/** An unguessable id of a pool or an event: 128 random bits, upper-case hex, 32 characters. Source: port-relay page, "ids and ports". */
export const randomId = (): string => randomBytes(16).toString('hex').toUpperCase();
