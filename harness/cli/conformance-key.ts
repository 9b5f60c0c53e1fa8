/** Who a target must be, where a profile judges that: its public key, as the command line or a relay's ticket has it. */
import type { Profile } from '../conformance/case.ts';
import { readGiven } from './conformance-files.ts';
import type { TargetFlags } from './conformance-target.ts';
import { UsageError } from './usage.ts';

const KEY_BYTES = 32;

const ABSENT = `must be told who the target has to be: what runs already does not get the identity file that a started one is given.
  --key PUBLICKEY   32 bytes as base64url, 43 letters: publicKey in the relay's ticket (stmgr show TICKET prints it)
  --ticket FILE     the ticket itself, a JSON file with publicKey and address
Or let the gate start it: --exec './my-relay --idfile {idfile} --laddr 127.0.0.1:{port}'.`;

const bytesOf = (text: string, where: string): Uint8Array => {
  const bytes = Buffer.from(text, 'base64url');
  // a decoder passes over letters that are none, and bits that are left over
  if (bytes.length === KEY_BYTES && bytes.toString('base64url') === text.replace(/=$/, '')) return bytes;
  throw new UsageError(
    `${where} is no public key: expected ${KEY_BYTES} bytes as base64url (43 letters of A-Z a-z 0-9 - _), got ${text.length} letters: '${text.slice(0, 48)}'.`,
  );
};

const ticketKey = (file: string): Uint8Array => {
  let ticket: unknown;
  try {
    ticket = JSON.parse(readGiven(file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${file} is no ticket: ${(error as Error).message}. Make one with stmgr relay-ticket.`,
    );
  }
  const { publicKey, privateKey } = (ticket ?? {}) as Readonly<Record<string, unknown>>;
  if (privateKey !== undefined)
    throw new UsageError(
      `${file} is an identity, which is secret: give the ticket that stmgr relay-ticket makes of it.`,
    );
  if (typeof publicKey !== 'string')
    throw new UsageError(`${file} is no ticket: expected a JSON object with publicKey as text.`);
  return bytesOf(publicKey, `publicKey in ${file}`);
};

/**
 * @returns undefined where the profile asks for none, or the target shows by itself which it has
 * @throws UsageError for a key that is missing, none, given twice, or means nothing
 */
export const targetKeyOf = (
  profile: Profile,
  { key, ticket, exec, address }: TargetFlags,
): Uint8Array | undefined => {
  const given = key ?? ticket;
  const flag = key === undefined ? '--ticket' : '--key';
  if (profile.role !== 'server' || profile.keyFile === undefined) {
    if (given === undefined) return undefined;
    throw new UsageError(`${profile.name} knows no public keys: leave ${flag} out.`);
  }
  if (key !== undefined && ticket !== undefined)
    throw new UsageError('--key and --ticket say the same thing: give one.');
  if (given !== undefined && exec?.includes(`{${profile.keyFile}}`) === true)
    throw new UsageError(
      `{${profile.keyFile}} in the command says who the target has to be already: leave ${flag} out.`,
    );
  if (key !== undefined) return bytesOf(key, `--key ${key.slice(0, 48)}`);
  if (ticket !== undefined) return ticketKey(ticket);
  if (address !== undefined) throw new UsageError(`${profile.name} ${ABSENT}`);
  return undefined;
};
