/**
 * What a case is: one situation, made with literal bytes, that a clause says how to behave in. A profile is a role of a protocol
 * with all its cases. Cases never use our own protocol machines, so a mistake of ours cannot cancel out.
 */
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Rng } from '../../reference-impl/machine/rng.ts';
import type { Closing } from './outcome.ts';
import type { Capabilities } from './targets/capabilities.ts';
import type { WireEnd } from './wire/wire-end.ts';
import type { WireListener } from './wire/wire-listener.ts';

/** What every case has at hand. */
export interface CaseContext {
  /** Follows from the run's seed and the case's id. */
  readonly rng: Rng;
  readonly capabilities: Capabilities;
  /** The time a target has to do something that no clause puts a number on, scaled by its declared time scale and the path. */
  readonly patienceMillis: Millis;
  /** Says in the wire log what comes next. */
  step(text: string): void;
  /** Latitude, or a figure: reported, never counted. */
  observe(text: string): void;
  /** How the target closed. Default: not judged. */
  closed(how: Closing): void;
  /** The case fails. */
  broken(expected: string, got: string): never;
  /** The case could not tell. */
  unclear(why: string): never;
  /** Tells a slow machine from a silent target: Unclear where the machine itself answered late in the last `sinceMillis`. */
  blameMachine(sinceMillis: Millis, awaited: string): void;
  /** As blameMachine, for what came, but late: others who kept the processors busy are reason enough. */
  blameLoad(sinceMillis: Millis, awaited: string): void;
  /** Waits; nothing may depend on it but silence. */
  wait(millis: Millis): Promise<void>;
  /** Runs when the case is over, however it ended; last registered first. */
  cleanup(task: () => Promise<void> | void): void;
}

/** What the target holds, seen from outside; undefined where that cannot be read (an address, another system). */
export type Holdings = {
  readonly fds: number;
  readonly sockets: number;
  readonly listening: number;
  readonly rssBytes: number;
  /** CPU the target has used, in milliseconds. */
  readonly cpuMillis: number;
};

/** A case against a target that listens. */
export interface ServerContext extends CaseContext {
  /** A connection to the target's port (through link and NAT, if the run has them). */
  dial(name: string): Promise<WireEnd>;
  /** A connection to another port of the target (a public port): never through the link, as users are elsewhere. */
  dialPort(port: number, name: string): Promise<WireEnd>;
  /** Dials, and says whether that was refused instead of throwing. */
  refused(port: number): Promise<boolean>;
  readonly port: number;
  holdings(): Promise<Holdings | undefined>;
  /** Which of the profile's files the target was given. */
  readonly files: ReadonlySet<string>;
  /** Who the target must be, where that was said: its public key. */
  readonly targetKey: Uint8Array | undefined;
  /** The file that `{output}` in the target's command stands for, another one after each start. @throws NotApplicable without one */
  output(): string;
  /** SIGTERM, SIGKILL and so on, where the target is a program of ours to start; NotApplicable otherwise. Starts it again after `restart`. */
  signal(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Waits for the end of a target that was told to end. @returns how, with its last words. @throws Broken when it goes on */
  gone(millis?: Millis): Promise<string>;
  restart(): Promise<void>;
}

/** A case against a target that dials, or that is told in files what to do: each case starts it for itself. */
export interface ClientContext extends CaseContext {
  /** A port of ours. */
  listen(name?: string, port?: number): Promise<WireListener>;
  /** A connection to a Unix socket of the target, tried until somebody takes it. @throws Broken when nobody does in time */
  dialPath(path: string, name: string, millis?: Millis): Promise<WireEnd>;
  /** A folder of this case, gone when the case is over. */
  folder(): string;
  /** The port the target must dial to reach that listener: the near end of the run's link and NAT, if it has them. */
  door(listener: WireListener): Promise<number>;
  /** Starts the target; `{name}` in its command line is replaced by what `given` has under that name. */
  start(given: Readonly<Record<string, string>>): Promise<RunningClient>;
}

export interface RunningClient {
  /** Everything it said so far, both streams, bounded. */
  output(): string;
  /** Its exit code, or the signal that ended it; rejects with Broken when it does not end in time. */
  exit(millis?: Millis): Promise<number | string>;
  signal(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  holdings(): Promise<Holdings | undefined>;
  readonly running: boolean;
}

/** What an adapter said of itself in answer to `hello`. */
export type AdapterHello = {
  readonly name: string;
  readonly version: string;
  /** Types and operations it has not got: `u128`, `def`, `cobs`. */
  readonly lacks: ReadonlySet<string>;
};

/** What came of one request: an answer, or how the adapter failed to give one. */
export type AdapterReply =
  | { readonly type: 'answer'; readonly fields: Readonly<Record<string, unknown>> }
  /** `crash`: it ended; `hang`: nothing within the limit; `breach`: a line that is no answer to this request. */
  | { readonly type: 'crash' | 'hang' | 'breach'; readonly text: string };

/** A case against a codec behind an adapter: JSON lines over its standard input and output, one request at a time. */
export interface AdapterContext extends CaseContext {
  readonly hello: AdapterHello;
  /** An adapter that is gone is started again for this request. @throws Unclear when it was started again too often */
  ask(request: Readonly<Record<string, unknown>>): Promise<AdapterReply>;
  /** A fresh one, which remembers nothing. */
  restart(): Promise<void>;
}

export type Case<Context> = {
  /** Within its profile: `reg/silent-probe`. Never changes its meaning. */
  readonly name: string;
  /** What it proves, as a claim: "a connection that says nothing harms nobody". */
  readonly title: string;
  /** The clause it judges; its level decides whether a failure counts. */
  readonly clause: string;
  /** Capabilities without which it is not applicable: `pool`, `event`. */
  readonly needs: readonly string[];
  /**
   * It disturbs others or is disturbed by them. `target`: it gets a target for itself (a fresh one where we start them);
   * `machine`: nothing else runs meanwhile (memory, CPU).
   */
  readonly alone?: 'target' | 'machine';
  /** Its volume or its timers would measure a slow link instead of the target: not applicable on any path but the direct one. */
  readonly directOnly?: true;
  /** A clause about chance: passes when at least `atLeast` of `runs` pass. */
  readonly statistical?: { readonly runs: number; readonly atLeast: number };
  /** The whole case, unscaled. Default 20 s. */
  readonly limitMillis?: Millis;
  readonly run: (context: Context) => Promise<void>;
};

type Common = {
  /** `port-relay`, as on the command line. */
  readonly name: string;
  /** One line for the list. */
  readonly summary: string;
  /** Every capability a target of this profile may declare, with what it means. */
  readonly capabilities: Readonly<Record<string, string>>;
};
export type ServerProfile = Common & {
  readonly role: 'server';
  /** Files that its targets read: `{name}` in the command is where this text stands, written anew for each start. */
  readonly files?: Readonly<Record<string, string>>;
  /** The one of them that says who a target is: of one that runs already, its public key must be told instead. */
  readonly keyFile?: string;
  /** What else its command line may have in it, each with what it stands for: `{output}`. */
  readonly placeholders?: Readonly<Record<string, string>>;
  readonly cases: readonly Case<ServerContext>[];
};
export type ClientProfile = Common & {
  readonly role: 'client';
  /** Placeholders of its command line, each with what it stands for: `{port}`. The command line tells them where none is given. */
  readonly placeholders: Readonly<Record<string, string>>;
  /** It is met on this machine alone, through files: links and NATs would change nothing. */
  readonly local?: true;
  readonly cases: readonly Case<ClientContext>[];
};
export type AdapterProfile = Common & {
  readonly role: 'adapter';
  readonly cases: readonly Case<AdapterContext>[];
};
export type Profile = ServerProfile | ClientProfile | AdapterProfile;

/** Gives the cases of a suite their types. */
export const serverCases = (...cases: readonly Case<ServerContext>[]): readonly Case<ServerContext>[] =>
  cases;
export const clientCases = (...cases: readonly Case<ClientContext>[]): readonly Case<ClientContext>[] =>
  cases;
