// The Store interface: one ordered history of opaque bytes. Drivers implement it; the contract suite proves them.
// Nothing here knows what a Kubernetes object is.

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  /** 1 when created, plus one for each update. */
  readonly version: number;
  /** Set by a layer above the driver that cannot read the stored bytes (a missing key): value is then empty. */
  readonly fault?: Error;
}

export interface StoreEvent {
  readonly type: "put" | "delete";
  readonly key: string;
  /** The commit's revision. */
  readonly revision: number;
  /** The new state; for a delete, the last state before it. */
  readonly current: KeyValue;
  /** The state before this commit; undefined when it created the key. */
  readonly previous: KeyValue | undefined;
}

/** What a watch yields: events in revision order, and marks that say "all up to this revision has been sent". */
export type WatchItem =
  | { readonly kind: "event"; readonly event: StoreEvent }
  | { readonly kind: "progress"; readonly revision: number };

export interface ListResult {
  readonly items: readonly KeyValue[];
  /** The revision that the list is a picture of. */
  readonly revision: number;
  /** Pass as continueKey for the next page; undefined on the last. */
  readonly continueKey: string | undefined;
  /** How many keys are left after this page. */
  readonly remaining: number;
}

export interface StoreStatus {
  readonly revision: number;
  readonly compactRevision: number;
  readonly sizeBytes: number;
  /** Set when writes are refused (full disk, read-only directory): what happened. */
  readonly fault: string | undefined;
}

/** Errors are StoreErrors (errors.ts): KeyExists, NotFound, Conflict (wrong revision), Compacted, FutureRevision, Unavailable. */
export interface Store {
  /** The key's state now, or as of a kept revision; undefined if it does not exist. Throws Compacted, FutureRevision. */
  get(key: string, options?: { revision?: number }): Promise<KeyValue | undefined>;
  /** Keys that begin with prefix, in byte order. Throws Compacted, FutureRevision. */
  list(prefix: string, options?: { revision?: number; limit?: number; continueKey?: string }): Promise<ListResult>;
  /** Resolves once the write is on disk. Throws KeyExists, Unavailable. leaseTtl in seconds: the key is deleted after it. */
  create(key: string, value: Buffer, options?: { leaseTtl?: number }): Promise<KeyValue>;
  /** Throws NotFound, or Conflict when the key's mod revision is not the expected one. */
  update(key: string, value: Buffer, expectedRevision: number, options?: { leaseTtl?: number }): Promise<KeyValue>;
  /** Resolves to the deleting event. Throws NotFound, Conflict. */
  delete(key: string, expectedRevision: number): Promise<StoreEvent>;
  /** All events of the prefix with a revision above fromRevision, then those to come, until the signal aborts. Throws Compacted. */
  watch(prefix: string, options: { fromRevision: number; signal: AbortSignal }): AsyncIterable<WatchItem>;
  /** Forgets history at and below the revision; the current state stays. */
  compact(revision: number): Promise<void>;
  status(): Promise<StoreStatus>;
  /** Whether a store that refuses writes would take them again if it were closed and opened anew. */
  recoverable(): Promise<boolean>;
  /** Whether the key's value should be written again although it is unchanged: a layer above the driver changed its ways. */
  isStale?(key: string): boolean;
  /** A consistent copy of the whole store as of one revision, in chunks. */
  snapshot(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}
