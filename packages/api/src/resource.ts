// Names of things: which resource serves which kind, in which group and version. Holds no behaviour of any kind.

import type { KubernetesObject } from "./meta/v1.js";

export interface GroupVersionKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupResource {
  readonly group: string;
  /** Plural, lower case: "pods". */
  readonly resource: string;
}

/** One resource of the API in one version. The type parameter is the shape of its objects. */
export interface Resource<T extends KubernetesObject = KubernetesObject> extends GroupVersionKind, GroupResource {
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Never set: carries T for inference alone. */
  readonly objectType?: T;
}

/** "v1" or "apps/v1": what stands in an object's apiVersion. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Splits an apiVersion; "v1" is the core group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** "pods", "deployments.apps": upstream's schema.GroupResource.String. */
export function groupResourceName({ group, resource }: GroupResource): string {
  return group === "" ? resource : `${resource}.${group}`;
}
