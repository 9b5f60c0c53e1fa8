/**
 * The words of measurement: agents behind NATs send points to a server that stores them. Points are position-coded: an agent
 * numbers its own 0, 1, 2, ..., and whoever reads the store can tell which agent's which point lies there. Points come in
 * ranges, never one line each.
 */

/** The plan: who measures, and what it has to show. `who` of these lines is `plan`. */
export type MeasurementPlanEvent =
  /** `exact`: our own at both ends, with acknowledgement, spool and a store with transactions: every point is there once. Else
   *  losses and repeats are allowed where a connection was lost, and counted. `coded`: its points carry positions. */
  | {
      readonly type: 'agent.declared';
      readonly agent: string;
      readonly site: string;
      readonly fleet: string;
      /** As it calls itself towards the server. */
      readonly name: string;
      readonly exact: boolean;
      readonly coded: boolean;
    }
  /** A metric of an agent: `fromPoint` is the first point that has it; above 0 it is a late one. `definition`: type, prefix and
   *  base; two agents that define one name in two ways clash, and one of them must be renamed. */
  | {
      readonly type: 'agent.metric';
      readonly agent: string;
      readonly metric: string;
      readonly fromPoint: number;
      readonly definition: string;
    };

/** What an agent's client does. Attempts and waits as `client.dialing` and `client.lost` have them. */
export type AgentEvent =
  | { readonly type: 'agent.dialing'; readonly attempt: number }
  /** The handshake is answered. */
  | { readonly type: 'agent.greeted'; readonly acknowledges: boolean }
  /** A connection or the attempt at one is over. `waitMillis` -1: this was the last attempt. */
  | {
      readonly type: 'agent.lost';
      readonly during: string;
      readonly why: string;
      readonly attempt: number;
      readonly waitMillis: number;
    }
  /** `left`: points that wait for ever. */
  | { readonly type: 'agent.gaveUp'; readonly why: string; readonly left: number }
  | { readonly type: 'agent.sent'; readonly batch: number; readonly points: number }
  /** Stored for certain, says the server: these points of batches up to `through`. */
  | { readonly type: 'agent.acknowledged'; readonly through: number; readonly points: number }
  | { readonly type: 'agent.dropped'; readonly why: string; readonly points: number }
  /** Its books: once a second while they change, and when it stops. `made`: points 0 to `made` - 1 exist. `waiting`: of them in the
   *  buffer and in the spool. `unconfirmed`: given to a server that acknowledges nothing. */
  | {
      readonly type: 'agent.books';
      readonly made: number;
      readonly waiting: number;
      readonly acknowledged: number;
      readonly unconfirmed: number;
      readonly dropped: number;
    }
  /** It was told to rest, and all it made is delivered; its books were told just before. */
  | { readonly type: 'agent.rested'; readonly made: number }
  | { readonly type: 'agent.stopped'; readonly left: number };

/** What lies in the server's store, as somebody who only reads it finds it. `agent`: the name the point came under. */
export type StoreEvent =
  /** Points `from` to `to` (included) were found, in this order and each once, since the last look. */
  | { readonly type: 'store.range'; readonly agent: string; readonly from: number; readonly to: number }
  /** The first point of an agent under a metric's name. */
  | {
      readonly type: 'store.series';
      readonly agent: string;
      readonly metric: string;
      readonly point: number;
    }
  /** Points that no agent made, or not like this. `example`: the first of them, in words. */
  | {
      readonly type: 'store.foreign';
      readonly agent: string;
      readonly points: number;
      readonly example: string;
    }
  /** Points of an agent that codes none: how many there are by now. */
  | { readonly type: 'store.count'; readonly agent: string; readonly points: number }
  /** The whole store was read to its end after everybody had been told to rest. */
  | { readonly type: 'store.read'; readonly points: number };

/** What the server does, where it tells. */
export type IngestEvent =
  | {
      readonly type: 'ingest.renamed';
      readonly client: string;
      readonly metric: string;
      readonly renamed: string;
    }
  | {
      readonly type: 'ingest.dropped';
      readonly client: string;
      readonly why: string;
      readonly points: number;
    }
  | { readonly type: 'ingest.error'; readonly client: string; readonly code: string }
  /** Its books, once a second while they change. `undelivered`: read, and not stored yet. `held`: connections that are not read
   *  meanwhile: the server pushes back. */
  | {
      readonly type: 'ingest.books';
      readonly received: number;
      readonly stored: number;
      readonly undelivered: number;
      readonly held: number;
    };
