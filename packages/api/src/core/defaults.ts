// Defaults of the other kinds of the core group (upstream: pkg/apis/core/v1/defaults.go). Pure, in place, idempotent.

import { setPodTemplateDefaults } from "./pod-defaults.js";
import { setResourceListDefaults } from "./resource-defaults.js";
import type {
  Endpoints,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
} from "./v1.js";
import { setPersistentVolumeClaimSpecDefaults, setVolumeSourceDefaults } from "./volume-defaults.js";

/** Every namespace carries its own name as a label. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

export function setNamespaceDefaults({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [namespaceNameLabel]: metadata.name };
}

export function setSecretDefaults(secret: Secret): void {
  secret.type ||= "Opaque";
}

/** Allocatable from capacity; podCIDR, the older field, says the same as the first of podCIDRs. */
export function setNodeDefaults({ spec, status }: Node): void {
  setResourceListDefaults(status?.capacity);
  setResourceListDefaults(status?.allocatable);
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  if (!spec) return;
  if (spec.podCIDR && (spec.podCIDRs ?? []).length === 0) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
}

export function setEndpointsDefaults({ subsets }: Endpoints): void {
  for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
}

export function setPersistentVolumeDefaults(volume: PersistentVolume): void {
  const { spec } = volume;
  if (!spec) return;
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  setResourceListDefaults(spec.capacity);
  setVolumeSourceDefaults(spec);
}

export function setPersistentVolumeClaimDefaults({ spec, status }: PersistentVolumeClaim): void {
  if (spec) setPersistentVolumeClaimSpecDefaults(spec);
  setResourceListDefaults(status?.capacity);
  setResourceListDefaults(status?.allocatedResources);
}

export function setPodTemplateObjectDefaults({ template }: PodTemplate): void {
  setPodTemplateDefaults(template);
}

/** Selector and labels come from the template when left out. */
export function setReplicationControllerDefaults(controller: ReplicationController): void {
  const { spec, metadata } = controller;
  if (!spec) return;
  spec.replicas ??= 1;
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  setPodTemplateDefaults(spec.template);
}

/** Limits default from maxima, requests from limits and minima. */
export function setLimitRangeDefaults({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    for (const list of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio]) {
      setResourceListDefaults(list);
    }
    if (item.type !== "Container") continue;
    const limits = { ...item.max, ...item.default };
    const requests = { ...item.min, ...limits, ...item.defaultRequest };
    if (Object.keys(limits).length > 0) item.default = limits;
    if (Object.keys(requests).length > 0) item.defaultRequest = requests;
  }
}

export function setResourceQuotaDefaults({ spec, status }: ResourceQuota): void {
  setResourceListDefaults(spec?.hard);
  setResourceListDefaults(status?.hard);
  setResourceListDefaults(status?.used);
}
