/** What each end calls itself. Alumet logs these and compares none but the protocol's version. */

/** Core version both roles send. */
export const CORE_VERSION = '0.9.5';
const PLUGIN_VERSION = '0.6.0';
/** Announces acknowledgement, as build metadata of the plugin's version. It is on when both ends announce it. */
export const ACK_MARK = 'relaylab-ack-1';

/** The plugin's version, with or without the announcement. */
export const pluginVersion = (acknowledges: boolean): string =>
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
