// The shapes that every kind shares. Types come from npm packages; nothing here runs.

import type { ILabelSelector } from "@kubernetes-models/apimachinery/apis/meta/v1/LabelSelector";
import type { IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
import type { IOwnerReference } from "@kubernetes-models/apimachinery/apis/meta/v1/OwnerReference";

export type LabelSelector = ILabelSelector;
export type OwnerReference = IOwnerReference;

/** Metadata as the API server returns it: name, uid, resourceVersion and creationTimestamp are always set. */
export type ObjectMeta = IObjectMeta & {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
};

/** Any object of the API. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** A kind's type from the schema package, with metadata as the API server fills it. */
export type Kind<T> = Omit<T, "apiVersion" | "kind" | "metadata"> & KubernetesObject;

/** What a client sends to create a T: the server fills in the rest of the metadata. */
export type NewObject<T extends KubernetesObject> = Omit<T, "metadata"> & { metadata?: IObjectMeta };

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface List<T extends KubernetesObject> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";

/** One event of a watch; an ERROR event is thrown as a StatusError instead. */
export interface WatchEvent<T extends KubernetesObject> {
  type: WatchEventType;
  object: T;
}
