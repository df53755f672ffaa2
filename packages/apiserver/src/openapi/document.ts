// What both versions of an OpenAPI document share: the operations by path, the definitions they need with the kinds they
// stand for. Documents are written piece by piece, so that no whole one is ever held as objects.

import type { GroupVersionKind } from "@picokube/api/resource";
import { definitionNameOf, definitionsWithDescriptions } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { type CustomSchema, customDefinitions, type Form, type MetaWords } from "./custom-schemas.js";
import { type Operation, operationsOf } from "./operations.js";
import { type Json, reachable } from "./schemas.js";

/** What the definitions of custom resources refer to. */
const META = ["ObjectMeta", "ListMeta"].map((kind) => `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`);

export interface DocumentParts {
  /** Upstream's version, "v1.33.0". */
  readonly version: string;
  readonly paths: ReadonlyMap<string, readonly Operation[]>;
  /** Names of the definitions to write, sorted. */
  readonly names: readonly string[];
  readonly definitions: ReadonlyMap<string, Schema>;
  /** Definition name to the kinds it is. */
  readonly kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;
  /** Definitions that are ready JSON, with their kinds: custom resources'. */
  readonly ready: ReadonlyMap<string, Json>;
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
export function documentParts({
  paths,
  version,
  custom,
  form,
}: {
  paths: DocumentParts["paths"];
  version: string;
  custom: readonly CustomSchema[];
  form: Form["version"];
}): DocumentParts {
  const definitions = definitionsWithDescriptions();
  const words = metaWordsOf(definitions);
  const ready = new Map(custom.flatMap((each) => customDefinitions(each, { version: form, words })));
  const roots = [...paths.values()].flat().flatMap(({ body, response }) => [body, response]);
  if (ready.size > 0) roots.push(...META);
  const builtIn = reachable(
    roots.filter((root) => root !== undefined),
    definitions,
  );
  const names = ready.size === 0 ? builtIn : [...builtIn, ...ready.keys()].sort();
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
  return { version, paths, names, definitions, kinds, ready };
}

/** All kinds describe these fields alike. */
function metaWordsOf(definitions: ReadonlyMap<string, Schema>): MetaWords {
  const wordsOf = (name: string, field: string) =>
    definitions.get(`io.k8s.api.core.v1.${name}`)?.properties?.[field]?.description;
  return {
    apiVersion: wordsOf("ConfigMap", "apiVersion"),
    kind: wordsOf("ConfigMap", "kind"),
    metadata: wordsOf("ConfigMap", "metadata"),
    listMetadata: wordsOf("ConfigMapList", "metadata"),
  };
}

/** What an operation says last in both versions: its answers, and what it does to which kind. */
export function operationEnd({ action, kind }: Operation, ok: Json): Json {
  return {
    responses: {
      "200": ok,
      ...(["post", "put", "patch"].includes(action) ? { "201": { ...ok, description: "Created" } } : {}),
      "401": { description: "Unauthorized" },
    },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kindJson(kind),
  };
}

/** Key order as upstream writes it. */
export function kindJson({ group, kind, version }: GroupVersionKind): GroupVersionKind {
  return { group, kind, version };
}
