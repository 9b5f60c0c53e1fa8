/** Every profile there is. A new one is a folder beside this and a line here. */
import type { Profile } from '../case.ts';
import { IDENTITY_NODE } from './identity/identity-node.ts';
import { IDENTITY_RELAY } from './identity/identity-relay.ts';
import { MEASUREMENT_CLIENT } from './measurement-client/measurement-client.ts';
import { MEASUREMENT_SERVER } from './measurement-server/measurement-server.ts';
import { PORT_CLIENT } from './port-client/port-client.ts';
import { PORT_RELAY } from './port-relay/port-relay.ts';
import { POSTCARD } from './postcard/postcard.ts';
import { SOCKET_CONTROL } from './socket-control/socket-control.ts';
import { YAMUX_CLIENT, YAMUX_SERVER } from './yamux/yamux.ts';

export const PROFILES: readonly Profile[] = [
  PORT_RELAY,
  PORT_CLIENT,
  YAMUX_SERVER,
  YAMUX_CLIENT,
  POSTCARD,
  MEASUREMENT_SERVER,
  IDENTITY_RELAY,
  IDENTITY_NODE,
  MEASUREMENT_CLIENT,
  SOCKET_CONTROL,
];
