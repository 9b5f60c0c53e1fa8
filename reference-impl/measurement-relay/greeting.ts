/** What each end calls itself. Alumet logs these and compares none but the protocol's version. */

import { type Content, PROTOCOL_VERSION } from './messages.ts';

const CORE_VERSION = '0.9.5';
const PLUGIN_VERSION = '0.6.0';
/** Announces acknowledgement, as build metadata of the plugin's version. It is on when both ends announce it. */
const ACK_MARK = 'relaylab-ack-1';

const pluginVersion = (acknowledges: boolean): string =>
  acknowledges ? `${PLUGIN_VERSION}+${ACK_MARK}` : PLUGIN_VERSION;

/** Whether a plugin's version announces acknowledgement: `<version>+<a>.<b>` with our mark among the parts. */
export const announcesAck = (version: string): boolean => {
  const plus = version.indexOf('+');
  return (
    plus >= 0 &&
    version
      .slice(plus + 1)
      .split('.')
      .includes(ACK_MARK)
  );
};

export const greet = (acknowledges: boolean): Content => ({
  tag: 'Greet',
  value: {
    alumet_core_version: CORE_VERSION,
    relay_plugin_version: pluginVersion(acknowledges),
    protocol_version: PROTOCOL_VERSION,
  },
});

export const greetResponse = (accept: boolean, acknowledges: boolean): Content => ({
  tag: 'GreetResponse',
  value: {
    accept,
    server_alumet_core_version: CORE_VERSION,
    server_relay_plugin_version: pluginVersion(acknowledges),
    protocol_version: PROTOCOL_VERSION,
  },
});
