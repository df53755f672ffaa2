// What discovery tells of each served resource: its verbs and subresources, as data. Both forms of discovery are made
// of it.

import { createHash } from "node:crypto";
import type { GroupVersionKind, Resource } from "@picokube/api/resource";
import type { ResourceDefinition } from "../registry/resource-definition.js";

export interface DiscoveredSubresource {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

export interface DiscoveredResource {
  readonly resource: Resource;
  readonly verbs: readonly string[];
  readonly subresources: readonly DiscoveredSubresource[];
  /** Changes when objects are stored in another version; undefined for what is not stored. */
  readonly storageVersionHash: string | undefined;
}

const ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS = ["get", "patch", "update"];
const PROXY_VERBS = ["create", "delete", "get", "patch", "update"];
const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };
/** Kinds that streaming subresources are listed with, and their verbs where they differ from create and get. */
const STREAM_SUFFIX: { readonly [subresource: string]: string } = {
  exec: "ExecOptions",
  attach: "AttachOptions",
  portforward: "PortForwardOptions",
  proxy: "ProxyOptions",
};

/** Upstream: discovery.StorageVersionHash. */
function hashOf({ group, version, kind }: Resource): string {
  const digest = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString("base64");
}

/** All that a definition serves. */
export function discovered(definition: ResourceDefinition): DiscoveredResource {
  const { resource } = definition;
  const { group, version, kind } = resource;
  const own = { group, version, kind };
  const subresources: DiscoveredSubresource[] = [];
  for (const [name, handler] of Object.entries(definition.connect ?? {})) {
    if (name !== "") subresources.push({ name, kind: handler.kind, verbs: [...handler.verbs] });
  }
  for (const name of definition.streams ?? []) {
    const suffix = STREAM_SUFFIX[name];
    const verbs = name === "proxy" ? PROXY_VERBS : name === "log" ? ["get"] : ["create", "get"];
    subresources.push({ name, kind: suffix ? { ...own, kind: `${kind}${suffix}` } : own, verbs });
  }
  for (const name of Object.keys(definition.update ?? {})) {
    subresources.push({ name, kind: own, verbs: name === "finalize" ? ["update"] : STATUS_VERBS });
  }
  if (definition.scale) subresources.push({ name: "scale", kind: SCALE, verbs: STATUS_VERBS });
  if (definition.hasStatus) subresources.push({ name: "status", kind: own, verbs: STATUS_VERBS });
  subresources.sort((a, b) => (a.name < b.name ? -1 : 1));
  const virtual = definition.connect?.[""];
  const verbs = virtual ? [...virtual.verbs] : [...(definition.verbs ?? ALL_VERBS)].sort();
  const isStored = !virtual && !definition.compute;
  const storageVersionHash = isStored ? hashOf(definition.storedAs?.resource ?? resource) : undefined;
  return { resource, verbs, subresources, storageVersionHash };
}
