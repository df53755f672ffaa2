// The frames of a watch: what one change looks like in one representation. Each is made once and shared by all watchers
// that see the change the same way.

import type { ResourceDefinition } from "../registry/resource-definition.js";
import type { CacheItem } from "../storage/cache-item.js";
import type { ServedResource } from "../storage/served-resource.js";
import { rowOf } from "./table-rows.js";
import { type IncludeObject, partialMetadataBytes, tableHead } from "./tables.js";

export type FrameType = "ADDED" | "MODIFIED" | "DELETED";

export interface Framer {
  /** The frame's bytes, with a newline; shared holds frames already made of the same change. */
  frame(type: FrameType, item: CacheItem, shared?: Map<string, Buffer>): Buffer;
  /** What frame() joins: for who joins many. */
  pieces(type: FrameType, item: CacheItem): readonly Buffer[];
  bookmark(revision: number, options: { initialEventsEnd: boolean }): Buffer;
}

const FRAME_START: { readonly [type in FrameType]: Buffer } = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const FRAME_END = Buffer.from("}\n");
const TABLE_END = Buffer.from("]}");
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** Frames in one representation; the table's columns go with the first frame alone. */
export function createFramer({
  served,
  as,
  includeObject,
  now,
}: {
  served: ServedResource;
  as: string;
  includeObject: IncludeObject;
  now(): number;
}): Framer {
  const definition = served.definition as ResourceDefinition;
  const isTable = as === "Table";
  const representation = `${served.apiVersion}/${as}/${includeObject}`;
  let withColumns = true;

  function objectBytes(item: CacheItem): Buffer {
    const bytes = served.bytesOf(item);
    if (as === "object") return bytes;
    if (!isTable) return partialMetadataBytes(bytes);
    const head = tableHead(definition, { resourceVersion: String(item.revision) }, withColumns);
    return Buffer.concat([Buffer.from(head), rowOf(item, { served, includeObject, nowMs: now() }), TABLE_END]);
  }

  function pieces(type: FrameType, item: CacheItem): readonly Buffer[] {
    const made = [FRAME_START[type], objectBytes(item), FRAME_END];
    withColumns = false;
    return made;
  }

  return {
    frame(type, item, shared) {
      const key = `${type}/${withColumns && isTable}/${item.revision}/${representation}`;
      const known = shared?.get(key);
      const frame = known ?? Buffer.concat(pieces(type, item));
      if (!known) shared?.set(key, frame);
      withColumns = false;
      return frame;
    },
    pieces,
    bookmark(revision, { initialEventsEnd }) {
      const metadata = {
        resourceVersion: String(revision),
        creationTimestamp: null,
        ...(initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: "true" } } : {}),
      };
      const object = isTable
        ? {
            kind: "Table",
            apiVersion: "meta.k8s.io/v1",
            metadata: { resourceVersion: String(revision) },
            columnDefinitions: null,
            rows: [{ cells: [], object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata } }],
          }
        : as === "object"
          ? { kind: served.kind, apiVersion: served.apiVersion, metadata }
          : { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
      return Buffer.from(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    },
  };
}
