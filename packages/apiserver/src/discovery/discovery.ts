// Discovery documents: /api, /apis and below, in the legacy form and in the aggregated one (v2 and v2beta1). Built anew
// only when other kinds are served; sending them is the server's.

import { createHash } from "node:crypto";
import { apiVersionOf } from "@picokube/api/resource";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { parseAccept } from "../request/negotiate.js";
import { compareGroups } from "./group-priorities.js";
import { type DiscoveredResource, discovered } from "./resource-list.js";

export interface DiscoveryAnswer {
  readonly contentType: string;
  readonly etag: string;
  readonly body: Buffer;
}

export interface Discovery {
  /** undefined: no such group or version. */
  handle(path: string, accept: string | undefined): DiscoveryAnswer | undefined;
  /** Paths for the index at "/". */
  readonly paths: readonly string[];
}

interface Group {
  readonly name: string;
  readonly versions: Map<string, DiscoveredResource[]>;
}

/** Serves the discovery of the definitions of the moment: another array when they have changed. */
export function createDiscovery(
  definitions: () => readonly ResourceDefinition[],
  { serverAddress }: { serverAddress: string },
): Discovery {
  let builtOf: readonly ResourceDefinition[] | undefined;
  let built: Documents = new Map();
  const documents = (): Documents => {
    const current = definitions();
    if (current !== builtOf) {
      built = documentsOf(current, serverAddress);
      builtOf = current;
    }
    return built;
  };
  return {
    handle(path, accept) {
      const trimmed = path.length > 1 ? path.replace(/\/$/, "") : path;
      const version = trimmed === "/api" || trimmed === "/apis" ? aggregatedVersion(accept) : undefined;
      return documents().get(version === undefined ? trimmed : `${trimmed} ${version}`);
    },
    get paths() {
      return [...documents().keys()].filter((path) => !path.includes(" ")).sort();
    },
  };
}

/** By path; the aggregated ones by path and version. */
type Documents = Map<string, DiscoveryAnswer>;

function documentsOf(definitions: readonly ResourceDefinition[], serverAddress: string): Documents {
  const groups = groupsOf(definitions);
  const documents: Documents = new Map();
  const named = [...groups.values()].filter(({ name }) => name !== "").sort((a, b) => compareGroups(a.name, b.name));
  documents.set(
    "/api",
    legacy({
      kind: "APIVersions",
      versions: [...(groups.get("")?.versions.keys() ?? [])],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
    }),
  );
  documents.set("/apis", legacy({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(apiGroup) }));
  for (const group of groups.values()) {
    if (group.name !== "")
      documents.set(`/apis/${group.name}`, legacy({ kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) }));
    for (const [version, resources] of group.versions) {
      const path = group.name === "" ? `/api/${version}` : `/apis/${group.name}/${version}`;
      documents.set(path, legacy(apiResourceList(group.name, version, resources)));
    }
  }
  for (const version of ["v2", "v2beta1"]) {
    const core = groups.get("");
    documents.set(`/api ${version}`, aggregated(version, core ? [core] : []));
    documents.set(`/apis ${version}`, aggregated(version, named));
  }
  return documents;
}

function groupsOf(definitions: readonly ResourceDefinition[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const definition of definitions) {
    const { group: name, version } = definition.resource;
    const group = groups.get(name) ?? { name, versions: new Map() };
    groups.set(name, group);
    const resources = group.versions.get(version) ?? [];
    group.versions.set(version, resources);
    resources.push(discovered(definition));
  }
  for (const { versions } of groups.values()) {
    for (const resources of versions.values())
      resources.sort((a, b) => (a.resource.resource < b.resource.resource ? -1 : 1));
  }
  return groups;
}

/** The aggregated version that the client wants before plain JSON, if any. */
function aggregatedVersion(accept = ""): string | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== "application/json" && type !== "*/*" && type !== "application/*") continue;
    if (!parameters.has("as")) return undefined;
    const version = parameters.get("v") ?? "";
    const isAggregated =
      parameters.get("g") === "apidiscovery.k8s.io" && parameters.get("as") === "APIGroupDiscoveryList";
    if (isAggregated && (version === "v2" || version === "v2beta1")) return version;
  }
  return undefined;
}

function answer(contentType: string, document: object): DiscoveryAnswer {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  return { contentType, etag: createHash("sha256").update(body).digest("hex").toUpperCase(), body };
}

function legacy(document: object): DiscoveryAnswer {
  return answer("application/json", document);
}

function aggregated(version: string, groups: readonly Group[]): DiscoveryAnswer {
  return answer(`application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`, {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { name, creationTimestamp: null },
      versions: [...versions].map(([groupVersion, resources]) => ({
        version: groupVersion,
        resources: resources.map(aggregatedResource),
        freshness: "Current",
      })),
    })),
  });
}

function aggregatedResource({ resource, verbs, subresources }: DiscoveredResource): object {
  const { group, version, kind } = resource;
  return {
    resource: resource.resource,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map((subresource) => ({
            subresource: subresource.name,
            responseKind: subresource.kind,
            verbs: subresource.verbs,
          })),
        }),
  };
}

function apiGroup({ name, versions }: Group): object {
  const list = [...versions.keys()].map((version) => ({
    groupVersion: apiVersionOf({ group: name, version }),
    version,
  }));
  return { name, versions: list, preferredVersion: list[0] };
}

function apiResourceList(group: string, version: string, resources: readonly DiscoveredResource[]): object {
  return {
    kind: "APIResourceList",
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(({ resource, verbs, subresources, storageVersionHash }) => [
      {
        name: resource.resource,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs,
        ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
        ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
        ...(storageVersionHash === undefined ? {} : { storageVersionHash }),
      },
      ...subresources.map(({ name, kind, verbs: subverbs }) => ({
        name: `${resource.resource}/${name}`,
        singularName: "",
        namespaced: resource.namespaced,
        ...(kind.group === group && kind.version === version ? {} : { group: kind.group, version: kind.version }),
        kind: kind.kind,
        verbs: subverbs,
      })),
    ]),
  };
}
