// What a watch cache holds of one object, and what it tells of one change. Types alone.

import type { KubernetesObject } from "@picokube/api/meta/v1";

/** One state of one object, as cached. Immutable but for the parsed object, which comes and goes. */
export interface CacheItem {
  /** The store's key. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** What goes over the wire. */
  readonly bytes: Buffer;
  readonly labels: { readonly [label: string]: string };
  /** metadata.name, metadata.namespace and the definition's selectable fields. */
  readonly fields: { readonly [field: string]: string };
  /** Set while remembered; read through WatchCache.object(). */
  parsed: KubernetesObject | undefined;
  /** Set once the item has been shown in a Table of its own kind; belongs to these very bytes. */
  row?: RememberedRow | undefined;
}

/** What of a Table's row stays the same while the object does. */
export interface RememberedRow {
  /** JSON of each cell; undefined for one that changes with time. */
  readonly cells: readonly (string | undefined)[];
  /** JSON of the row's conditions; "" for none. */
  readonly conditions: string;
  /** Milliseconds since the epoch; NaN when the object does not say. */
  readonly createdMs: number;
  /** Where the metadata ends in the item's bytes. */
  readonly metadataEnd: number;
}

/** One change, with both states; for DELETED the item is the last state under the deleting revision. */
export interface CacheEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly item: CacheItem;
  readonly previous: CacheItem | undefined;
  /** Frames already made of this event, by type and representation: shared by all watchers while it is told. */
  readonly frames: Map<string, Buffer>;
}
