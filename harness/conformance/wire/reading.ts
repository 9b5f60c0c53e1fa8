/** Bytes as a person reads them: text where it is text, a dot where it is not. */
export const reading = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes)
    text +=
      byte === 0x0a
        ? '\\n'
        : byte === 0x0d
          ? '\\r'
          : byte >= 0x20 && byte < 0x7f
            ? String.fromCharCode(byte)
            : '·';
  return text;
};

/** `"4001\n" (34 30 30 31 0a)`, at most `max` bytes of it. */
export const shown = (bytes: Uint8Array, max = 32): string => {
  if (bytes.length === 0) return 'nothing';
  const part = bytes.subarray(0, max);
  const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const more = bytes.length > max ? ` and ${bytes.length - max} more bytes` : '';
  return `"${reading(part)}" (${hex})${more}`;
};
