// A kind's declaration: all that the generic handlers must know of it. Built-in kinds are files beside this one, in
// folders by group; custom-resources/ makes the same declaration of a CustomResourceDefinition at run time.

import type { FieldError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { Schema } from "@picokube/api/schema/schema";
import type { UserInfo } from "../authn/authenticator.js";
import type { DecodeResult } from "../decode/typed-decoder.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { JsonSchema } from "./apiextensions/json-schema.js";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What a strategy may know of the request. */
export interface RequestContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly storage: StorageRegistry;
  /** In whose name the fields that a write changes are tracked; undefined: the write leaves managedFields as it brings them. */
  readonly fieldManager?: string;
  /** Milliseconds since the epoch. */
  now(): number;
  warn(message: string): void;
  /** Adds an annotation to the request's audit event, if it has one. */
  annotate?(key: string, value: string): void;
}

/** A column of a server-side Table (upstream: pkg/printers/internalversion). */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 only with -o wide. */
  readonly priority: number;
  cell(object: T, now: number): string | number | boolean | null;
}

/** Upstream: metav1.TableRowCondition. */
export interface TableRowCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** Answers a POST or GET of a subresource (or of a whole virtual resource such as tokenreviews) by code instead of storage. */
export interface ConnectHandler {
  readonly verbs: readonly ("create" | "get")[];
  /** Kind of body and answer, for discovery. */
  readonly kind: { group: string; version: string; kind: string };
  /** body is decoded and defaulted JSON; name is "" for virtual resources. Throws StatusErrors. */
  handle(request: {
    context: RequestContext;
    namespace: string;
    name: string;
    body: KubernetesObject | undefined;
    query: URLSearchParams;
  }): Promise<{ code?: number; object: unknown }>;
}

export interface ScalePaths {
  /** "spec.replicas" and "status.replicas". */
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Serialised label selector of the pods. */
  selector(object: KubernetesObject): string;
}

/** What stands in for the generated schema of a kind that a CustomResourceDefinition declares. */
export interface CustomKind {
  /** As it was declared. */
  readonly schema: JsonSchema;
  /** How fields are owned. */
  readonly ownership: Schema;
  /** Brings a parsed object into the kind's shape, in place. Throws a DecodeFault. */
  decode(value: object): DecodeResult;
  /** Its CustomResourceDefinition is being deleted: nothing new is created. */
  isTerminating(): boolean;
}

export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>;
  /** Below /registry, upstream's: "pods", "services/specs", "ranges/...". */
  readonly storagePrefix: string;
  /** All of them when left out; [] for a resource that only has subresources. */
  readonly verbs?: readonly Verb[];
  /** Sets the fields that upstream's defaulting sets; in place, idempotent. */
  applyDefaults?(object: T): void;
  /** Called after decoding and defaulting: resets what clients may not set (status), allocates, normalises. In place. */
  prepareForCreate?(object: T, context: RequestContext): Promise<void> | void;
  /** metadata is validated by the generic code; this checks the rest. */
  validate?(object: T, context: RequestContext): FieldError[];
  /** Restores what an update of the main resource may not change (status). In place. generation is bumped by the generic code when anything outside metadata and status changed. */
  prepareForUpdate?(object: T, old: T, context: RequestContext): Promise<void> | void;
  validateUpdate?(object: T, old: T, context: RequestContext): FieldError[];
  /** True: the kind has /status, whose updates keep everything else of the old object (generic). */
  readonly hasStatus: boolean;
  validateStatusUpdate?(object: T, old: T, context: RequestContext): FieldError[];
  /** False for the kinds whose metadata.generation upstream leaves unset (ConfigMap, Secret, ...). */
  readonly hasGeneration: boolean;
  /** True: annotations that change through the main resource make a new generation, too. Upstream's Deployments alone. */
  readonly annotationsMakeGeneration?: boolean;
  readonly scale?: ScalePaths;
  /** PUT of an absent object creates it (upstream: AllowCreateOnUpdate; leases, endpoints, events...). */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion is allowed (upstream: AllowUnconditionalUpdate); true when left out. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Seconds of grace a delete leaves the object in place for; 0 or undefined removes it at once (upstream: CheckGracefulDelete). Only pods and namespaces need it. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number;
  /** Names must match: "subdomain" (the default), "label", "path-segment" or a function of its own. */
  readonly nameRule?: "subdomain" | "label" | "label-1035" | "path-segment";
  /** Field selector labels beyond metadata.name and metadata.namespace. */
  readonly selectableFields?: { readonly [field: string]: (object: T) => string };
  /** What is said of a field that the kind cannot be selected by, where upstream has words of its own. */
  unknownField?(field: string): string;
  readonly columns?: readonly Column<T>[];
  /** Of the object's row in a Table; [] for none. */
  rowConditions?(object: T): readonly TableRowCondition[];
  /** The order of a Table's rows where it is not the names'. */
  compareRows?(a: T, b: T): number;
  /** status and scale come from the flags above; these are the others ("binding", "eviction", "token", ...). "" is the resource itself, for virtual resources. */
  readonly connect?: { readonly [subresource: string]: ConnectHandler };
  /** Subresources that stream and are proxied to the kubelet ("log", "exec", "attach", "portforward") or to pods and services ("proxy"); only their names stand here. */
  readonly streams?: readonly string[];
  /** Subresources that are updated like status but touch other fields ("ephemeralcontainers", "resize", "approval", "finalize"): merges what may change of object into old. */
  readonly update?: { readonly [subresource: string]: (object: T, old: T, context: RequestContext) => T };
  /** The same stored objects in another version or group (events, autoscaling v1): converts both ways, in place or anew. */
  readonly storedAs?: {
    readonly resource: Resource;
    toStored(object: T): KubernetesObject;
    fromStored(object: KubernetesObject): T;
  };
  /** Set for custom resources only. */
  readonly custom?: CustomKind;
  /** False: its objects are stored, but no path leads to them in this version (a version that is not served). */
  readonly isServed?: boolean;
  /** The Warning that every request of this version gets. */
  readonly deprecationWarning?: string;
  /** Marks an object whose deletion is asked for, before its finalizers are counted; in place. */
  prepareForDelete?(object: T, context: RequestContext): void;
  /** Makes the objects that reads answer with, where nothing of the kind is stored: that of the name, or all for "". */
  compute?(name: string): Promise<readonly T[]>;
  /** Takes what the object needs beside itself, when all is settled but the write (upstream: BeginCreate, BeginUpdate); old
   *  is undefined for a new one. What it resolves to is told whether the object was written, and must not throw. */
  claim?(
    object: T,
    old: T | undefined,
    context: RequestContext,
  ): Promise<((written: boolean) => Promise<void>) | undefined>;
  /** Acts after a commit (release an IP, write a child object); must not throw. */
  afterDelete?(object: T, context: RequestContext): Promise<void> | void;
}
