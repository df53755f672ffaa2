// The Client interface: typed verbs over the REST API. Failures are StatusErrors (api/errors); an unreachable server
// is a StatusError-free Error with a cause.

import type { KubernetesObject, List, NewObject, WatchEvent } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";

export interface RequestOptions {
  signal?: AbortSignal;
  /** "status", "scale", "binding", "eviction", "token", ... */
  subresource?: string;
}

/** What names one object; namespace is left out for cluster-scoped resources. */
export interface ObjectName {
  name: string;
  namespace?: string;
}

export interface ListOptions extends RequestOptions {
  /** Left out: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  /** Asks for PartialObjectMetadata: only apiVersion, kind and metadata come back. */
  metadataOnly?: boolean;
}

export interface WatchOptions extends ListOptions {
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
}

export interface WriteOptions extends RequestOptions {
  dryRun?: boolean;
  fieldManager?: string;
}

export interface PatchOptions extends WriteOptions {
  type: "json" | "merge" | "strategic" | "apply";
  /** For apply: take over fields that others own. */
  force?: boolean;
}

export interface DeleteOptions extends RequestOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  preconditions?: { uid?: string; resourceVersion?: string };
}

export interface RawRequest {
  method: string;
  /** Path with query, from the server's root. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: NodeJS.ReadableStream & AsyncIterable<Buffer>;
}

export interface Client {
  get<T extends KubernetesObject>(resource: Resource<T>, name: ObjectName, options?: RequestOptions): Promise<T>;
  list<T extends KubernetesObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>;
  /** Yields events until the server ends the watch or the signal aborts; throws the StatusError of an ERROR event. */
  watch<T extends KubernetesObject>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** The namespace is the object's. For a subresource such as "binding" or "token" give name too: what comes back is its answer. */
  create<T extends KubernetesObject>(resource: Resource<T>, object: NewObject<T>, options?: WriteOptions): Promise<T>;
  /** POST to a named object's subresource (binding, eviction, token). */
  createSubresource<Body, Answer = Body>(
    resource: Resource,
    name: ObjectName,
    subresource: string,
    body: Body,
    options?: WriteOptions,
  ): Promise<Answer>;
  update<T extends KubernetesObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    name: ObjectName,
    patch: unknown,
    options: PatchOptions,
  ): Promise<T>;
  delete<T extends KubernetesObject>(resource: Resource<T>, name: ObjectName, options?: DeleteOptions): Promise<void>;
  deleteCollection<T extends KubernetesObject>(
    resource: Resource<T>,
    options?: ListOptions & DeleteOptions,
  ): Promise<void>;
  /** Any request with this client's identity; the caller reads or destroys the body. Throws only when no answer came. */
  raw(request: RawRequest): Promise<RawResponse>;
}
