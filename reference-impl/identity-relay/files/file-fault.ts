/** Everything that can be wrong with an identity or ticket file, with what to do about it. */
export const FILE_FAULTS = {
  FILE_EXISTS: 'choose another name or remove it: a key that is overwritten is lost',
  FILE_MISSING: 'look at the path; stmgr gen-ident makes an identity, stmgr relay-ticket a ticket',
  FILE_UNREADABLE: 'look at its permissions',
  FILE_UNWRITABLE: 'look at the folder and its permissions',
  NOT_JSON: 'it must hold one JSON object, as stmgr writes it',
  FIELD_MISSING: 'it may be another kind of file: stmgr show FILE says which',
  KEY_MALFORMED: 'keys are base64url (letters, digits, - and _), 43 of them',
  KEY_LENGTH: 'a key has 32 bytes: 43 letters of base64url',
  ADDRESS_TOO_LONG: 'use a shorter host name',
  ADDRESS_MALFORMED: 'write HOST:PORT, for instance relay.example.org:4567',
} as const;

export type FileFaultCode = keyof typeof FILE_FAULTS;

/** An identity or ticket file that cannot be used, or written. Never says what is in a private key. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  readonly code: FileFaultCode;

  constructor(code: FileFaultCode, path: string, what: string) {
    super(`${path}: ${what}; ${FILE_FAULTS[code]}`);
    this.code = code;
  }
}
