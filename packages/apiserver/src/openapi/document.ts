// What both versions of an OpenAPI document share: the operations by path, the definitions they need with the kinds they
// stand for. Documents are written piece by piece, so that no whole one is ever held as objects.

import type { GroupVersionKind } from "@picokube/api/resource";
import { definitionNameOf, definitionsWithDescriptions } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { type Operation, operationsOf } from "./operations.js";
import { reachable } from "./schemas.js";

export interface DocumentParts {
  /** Upstream's version, "v1.33.0". */
  readonly version: string;
  readonly paths: ReadonlyMap<string, readonly Operation[]>;
  /** Names of the definitions to write, sorted. */
  readonly names: readonly string[];
  readonly definitions: ReadonlyMap<string, Schema>;
  /** Definition name to the kinds it is. */
  readonly kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;
}

/** Operations by path, in the order of paths: plain data, fit to be sent to a thread. */
export function pathsOf(definitions: readonly ResourceDefinition[]): Map<string, Operation[]> {
  const paths = new Map<string, Operation[]>();
  for (const operation of definitions.flatMap(operationsOf)) {
    const known = paths.get(operation.path);
    if (known) known.push(operation);
    else paths.set(operation.path, [operation]);
  }
  return new Map([...paths].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads the definitions from disk: some ten milliseconds, and garbage once the document is written. */
export function documentParts(paths: DocumentParts["paths"], version: string): DocumentParts {
  const definitions = definitionsWithDescriptions();
  const roots = [...paths.values()].flat().flatMap(({ body, response }) => [body, response]);
  const names = reachable(
    roots.filter((root) => root !== undefined),
    definitions,
  );
  const kinds = new Map<string, GroupVersionKind[]>();
  const claim = (kind: GroupVersionKind): void => {
    const name = definitionNameOf(kind);
    if (!name) return;
    const claimed = kinds.get(name) ?? [];
    if (!claimed.some((other) => other.group === kind.group && other.version === kind.version)) claimed.push(kind);
    kinds.set(name, claimed);
  };
  for (const { kind: of } of [...paths.values()].flat()) {
    const { group, version: kindVersion, kind } = of;
    claim({ group, version: kindVersion, kind });
    claim({ group, version: kindVersion, kind: `${kind}List` });
  }
  for (const kind of ["DeleteOptions", "Status"]) claim({ group: "", version: "v1", kind });
  return { version, paths, names, definitions, kinds };
}

/** Key order as upstream writes it. */
export function kindJson({ group, kind, version }: GroupVersionKind): GroupVersionKind {
  return { group, kind, version };
}
