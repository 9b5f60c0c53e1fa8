import type { Batch, Origin, Point, Timestamp } from '../../measurement-relay/messages.ts';

/**
 * What a pipeline is made of. Every element has a name `plugin/element` (`procfs/memory`, `csv/out`), by which socket control
 * finds it. The pipeline opens elements before the first measurement and closes them after the last one.
 */
export type Element = PipelineElement | { readonly type: 'service'; readonly service: Service };

export type PipelineElement =
  | { readonly type: 'source'; readonly source: Source | AutonomousSource }
  | { readonly type: 'transform'; readonly transform: Transform }
  | { readonly type: 'output'; readonly output: Output };

/** Something beside the pipeline that the agent opens once all of that runs, and closes before all of it. */
export interface Service {
  readonly name: string;
  /** @throws AgentError: the agent does not start */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A source the pipeline asks for points, once each period. */
export interface Source {
  readonly name: string;
  readonly kind: 'managed';
  /** Above 0. Socket control may change it later. */
  readonly periodMillis: number;
  /** Points of several polls are handed on together, at the latest after so long. Absent: each poll by itself. */
  readonly flushMillis?: number;
  /** @throws AgentError: the agent does not start */
  open(): Promise<void>;
  /** What is so at this time; `at` goes into every point. A rejection is logged and the next poll comes as planned. */
  poll(at: Timestamp): Promise<readonly Point[]> | readonly Point[];
  close(): Promise<void>;
}

/** Points of a relay's end, by their state. */
export type PointCounts = {
  /** That ever came to this: received, sent, stored, ... */
  readonly total: Readonly<Record<string, number>>;
  /** That are in it now: buffered, spooled, ... */
  readonly held: Readonly<Record<string, number>>;
  /** By why. */
  readonly dropped: Readonly<Record<string, number>>;
};

/** A source that speaks when it likes (a server): it can be stopped, and nothing else. */
export interface AutonomousSource {
  readonly name: string;
  readonly kind: 'autonomous';
  /** Starts it. `emit` resolves once every output has taken the batch, which may take as long as an output is paused. */
  open(emit: Emit): Promise<void>;
  /** For who asks while it is open. */
  counts?(): PointCounts | undefined;
  /** No `emit` is called after this. Resolves when everything it opened is closed. */
  close(): Promise<void>;
}

/** @returns true: all outputs have taken the batch; false: it was not taken (no output is left, or one failed) */
export type Emit = (batch: Batch) => Promise<boolean>;

/** Changes points on their way. Never waits. */
export interface Transform {
  readonly name: string;
  /** @param origin of a relayed batch: what comes out of it is told apart from all other batches until it is stored */
  apply(points: readonly Point[], origin: Origin | undefined): readonly Point[];
  /** What it still holds, when no point will come any more. */
  flush?(): readonly Point[];
}

/** Where points end. */
export interface Output {
  readonly name: string;
  /** @throws AgentError: the agent does not start */
  open(): Promise<void>;
  /**
   * Resolves once the batch is taken as far as this output promises; the pipeline waits (back-pressure). Never called
   * concurrently. A rejection is for good: the output has tried whatever it tries, and the agent ends with an error.
   */
  write(batch: Batch): Promise<void>;
  /** Its end has begun: what waits for it comes now and nothing after that. One that holds writes back until there is room does so no more. */
  finish?(): void;
  /** Nothing more may come for a while (SIGHUP, end): bring out what is held. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** For who asks while it is open. */
  counts?(): PointCounts | undefined;
  /** Transactional outputs only: the last batch of a spool that is stored for certain. */
  lastStored?(client: string, spool: string): Promise<number | undefined>;
}
