/**
 * The words of identity: nodes behind NATs that are addressed by their key, tunnels between them, and the wire of both as it is seen
 * from outside. Names of nodes are those of the scenario; keys are not shown.
 */

/** `node`: an honest one. `twin`: another with the same key. `impostor`: claims a key that it cannot sign for. `deaf`: never answers. */
export type IdentityRole = 'node' | 'twin' | 'impostor' | 'deaf';

export type IdentityEvent =
  /** What a node is and by which times it lives. `mappingMillis`: how long its NAT keeps an idle mapping; -1: not known. */
  | {
      readonly type: 'identity.declared';
      /** Whose key it shows. */
      readonly key: string;
      readonly site: string;
      readonly role: IdentityRole;
      readonly keepaliveMillis: number;
      readonly silenceMillis: number;
      readonly rekeyMillis: number;
      readonly halfTunnelMillis: number;
      readonly mappingMillis: number;
    }
  /** It has asked the relay to be reachable. */
  | { readonly type: 'identity.listening' }
  /** Not reachable any more. `silentMillis`: since the last byte of the relay; `heldMillis`: since it was asked; -1: it never was. */
  | {
      readonly type: 'identity.lost';
      readonly why: string;
      readonly silentMillis: number;
      readonly heldMillis: number;
      readonly waitMillis: number;
    }
  /** Both ends have proven who they are. `tunnel`: a number of the connector's, 0 at the acceptor, who learns it later. */
  | { readonly type: 'identity.tunnel'; readonly tunnel: number; readonly side: 'connector' | 'acceptor' }
  /** What one end saw when a tunnel, or the attempt at one, was over: messages and how many of them were not what must come next.
   *  `askedMillis`: since it was asked for. `done`: the connector had every echo and ended it itself. */
  | {
      readonly type: 'identity.done';
      readonly tunnel: number;
      readonly side: 'connector' | 'acceptor';
      /** Whose key it was dialled by; '' at the acceptor. */
      readonly to: string;
      readonly why: string;
      readonly opened: boolean;
      readonly done: boolean;
      readonly sent: number;
      readonly received: number;
      readonly wrong: number;
      readonly askedMillis: number;
    }
  /** One direction of a connection that is over, by its sealed frames. Nonces: `renewed` began again at 0, `stray` were neither that
   *  nor the next. Sizes in bytes. `plain`: frames in which a known text of the payload was found. */
  | {
      readonly type: 'identity.wire';
      readonly conn: number;
      readonly dir: 'in' | 'out';
      /** Whether the node listens on it: then all its frames are short. */
      readonly listens: boolean;
      readonly millis: number;
      readonly frames: number;
      readonly renewed: number;
      readonly stray: number;
      readonly longestGapMillis: number;
      readonly smallest: number;
      readonly largest: number;
      /** How many different sizes. */
      readonly sizes: number;
      readonly plain: number;
    }
  /** The relay turned somebody away, or ended its connection. */
  | { readonly type: 'identity.refused'; readonly conn: number; readonly why: string };
