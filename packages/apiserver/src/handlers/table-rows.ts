// Rows of the Tables that lists answer with. What of a row does not change with time is remembered with the cached item,
// so that a Table of objects that stayed the same parses none of them.

import { humanDuration } from "@picokube/api/duration";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { ageColumn } from "../registry/columns.js";
import type { Column } from "../registry/resource-definition.js";
import type { CacheItem, RememberedRow } from "../storage/cache-item.js";
import { endOfMetadata } from "../storage/codec.js";
import type { ServedResource } from "../storage/served-resource.js";
import { cellJson, columnsOf, conditionsJson, type IncludeObject, rowBytes } from "./tables.js";

/** A cell that reads the same in a hundred years does not depend on the time. */
const MUCH_LATER_MS = 100 * 365 * 24 * 60 * 60 * 1000;

/** The item's row, as bytes. */
export function rowOf(
  item: CacheItem,
  { served, includeObject, nowMs }: { served: ServedResource; includeObject: IncludeObject; nowMs: number },
): Buffer {
  const { definition, cache } = served;
  let row = definition.storedAs ? undefined : item.row;
  if (row === undefined) {
    row = remember(item, served, nowMs);
    // What is told of a past that the cache has left is shown once.
    if (!definition.storedAs && cache.get(item.key) === item) cache.rows.remember(item, row);
  }
  const { createdMs, conditions, metadataEnd } = row;
  const columns = columnsOf(definition);
  const cells = row.cells.map((cell, index) => {
    if (cell !== undefined) return cell;
    const column = columns[index]!;
    if (isAge(column) && !Number.isNaN(createdMs)) return JSON.stringify(humanDuration(nowMs - createdMs));
    return cellJson(column, served.objectOf(item), nowMs);
  });
  return rowBytes({ cells, conditions, includeObject, bytes: served.bytesOf(item), metadataEnd });
}

function remember(item: CacheItem, served: ServedResource, nowMs: number): RememberedRow {
  const { definition } = served;
  const object = served.objectOf(item);
  return {
    metadataEnd: endOfMetadata(served.bytesOf(item)),
    cells: columnsOf(definition).map((column) => {
      if (isAge(column)) return undefined;
      const cell = cellJson(column, object, nowMs);
      return cell === cellJson(column, object, nowMs + MUCH_LATER_MS) ? cell : undefined;
    }),
    conditions: conditionsJson(definition, object),
    createdMs: Date.parse(object.metadata.creationTimestamp ?? ""),
  };
}

const isAge = (column: Column<KubernetesObject>): boolean => column.cell === ageColumn.cell;
