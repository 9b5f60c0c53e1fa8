/** What plays in a measurement, as plain JSON like every spec of an actor. */
import type { Millis } from '../../reference-impl/machine/machine.ts';

/** A metric of a made-up source. */
export type SourceMetric = {
  readonly name: string;
  readonly valueType: 'F64' | 'U64';
  readonly unit: { readonly base: string; readonly prefix: string };
  /** The first point that has it: above 0 it is registered late. At least one metric must begin at 0. */
  readonly fromPoint: number;
};

/** Points number 0, 1, 2, ...: each poll makes some, under its metrics in turn. */
export type PointSourceSpec = {
  readonly metrics: readonly SourceMetric[];
  readonly periodMillis: Millis;
  readonly pointsPerPoll: number;
};

export type MeasurementAgentSpec<Place> = {
  readonly kind: 'measurement-agent';
  /** How it calls itself towards the server: no two agents of a run alike. */
  readonly agent: string;
  readonly server: Place;
  readonly source: PointSourceSpec;
  readonly bufferMaxLength: number;
  readonly bufferTimeoutMillis: Millis;
  /** `maxTimes`: retries after the failed attempt, or `FOR_EVER`. */
  readonly retry: {
    readonly maxTimes: number;
    readonly initialDelayMillis: Millis;
    readonly maxDelayMillis: Millis;
    /** Share of each wait that is left to chance. */
    readonly jitter: number;
  };
  readonly acknowledge: boolean;
  readonly spoolBytesMax: number;
  readonly keepaliveMillis: Millis;
  readonly startAfterMillis: Millis;
  /** Somebody else's agent in this role: command with `{host}`, `{port}` and `{name}`. undefined: our own. */
  readonly exec: readonly string[] | undefined;
};

/** Where points lie that others can read. */
export type StoreFiles =
  | { readonly sqlite: string }
  | { readonly postgres: string }
  | { readonly csv: string };

export type MeasurementServerSpec = {
  readonly kind: 'measurement-server';
  readonly acknowledge: boolean;
  readonly keepaliveMillis: Millis;
  /** Points a second that the store takes at most; 0: as fast as it can. What makes a server push back. */
  readonly storePointsPerSecond: number;
  /**
   * `memory`: kept beside the machine, outlives its kill, and tells itself what lies in it; a file of SQLite; a connection string
   * of PostgreSQL; or a CSV file in Alumet's columns, of somebody else's server only. `{work}` in a path is a folder of the agent
   * process, gone with it; `{run}` a number of its own.
   */
  readonly store: 'memory' | StoreFiles;
  /** Names of the agents that code their points. */
  readonly coded: readonly string[];
  /** Somebody else's server in this role: command with `{port}` and `{db}` or `{csv}`. undefined: our own. */
  readonly exec: readonly string[] | undefined;
};

export type StoreReaderSpec = {
  readonly kind: 'store-reader';
  readonly store: StoreFiles;
  /** Of PostgreSQL. */
  readonly table: string;
  /** Of CSV: whose units may stand behind their names. */
  readonly metrics: readonly Pick<SourceMetric, 'name' | 'unit'>[];
  readonly coded: readonly string[];
};
