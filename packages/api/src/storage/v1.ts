// Group "storage.k8s.io" version v1: the types and names of its kinds.

import type { ICSIDriver } from "kubernetes-models/storage.k8s.io/v1/CSIDriver";
import type { ICSINode } from "kubernetes-models/storage.k8s.io/v1/CSINode";
import type { ICSIStorageCapacity } from "kubernetes-models/storage.k8s.io/v1/CSIStorageCapacity";
import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1/StorageClass";
import type { IVolumeAttachment } from "kubernetes-models/storage.k8s.io/v1/VolumeAttachment";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type StorageClass = Kind<IStorageClass>;
export const storageclasses: Resource<StorageClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  resource: "storageclasses",
  singular: "storageclass",
  namespaced: false,
  shortNames: ["sc"],
  categories: [],
};

export type VolumeAttachment = Kind<IVolumeAttachment>;
export const volumeattachments: Resource<VolumeAttachment> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  resource: "volumeattachments",
  singular: "volumeattachment",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type CSIDriver = Kind<ICSIDriver>;
export const csidrivers: Resource<CSIDriver> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  resource: "csidrivers",
  singular: "csidriver",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type CSINode = Kind<ICSINode>;
export const csinodes: Resource<CSINode> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  resource: "csinodes",
  singular: "csinode",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type CSIStorageCapacity = Kind<ICSIStorageCapacity>;
export const csistoragecapacities: Resource<CSIStorageCapacity> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  resource: "csistoragecapacities",
  singular: "csistoragecapacity",
  namespaced: true,
  shortNames: [],
  categories: [],
};
