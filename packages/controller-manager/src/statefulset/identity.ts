// Who a StatefulSet's pods are: names, ordinals, labels, host names and the claims that go with them. Pure (upstream:
// stateful_set_utils.go).

import { type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { revisionLabel } from "../controller-revisions.js";

/** Tells the pods of a StatefulSet apart for Services. */
export const podNameLabel = "statefulset.kubernetes.io/pod-name";
export const podIndexLabel = "apps.kubernetes.io/pod-index";

/** A pod that is there, or one that is yet to be made. */
export type AnyPod = Pick<NewObject<Pod>, "spec"> & { metadata: { name: string; labels?: { [name: string]: string } } };

const nameAndOrdinal = /^(.*)-(\d{1,10})$/;
const maxOrdinal = 2 ** 31 - 1;

/** The number at the end of the pod's name; -1 when there is none. */
export function ordinalOf({ metadata }: { metadata: { name: string } }): number {
  const ordinal = Number(nameAndOrdinal.exec(metadata.name)?.[2] ?? -1);
  return ordinal > maxOrdinal ? -1 : ordinal;
}

/** The set that a pod of this name would be of; undefined when the name has no ordinal. Upstream's getParentName. */
export function setNameOf(podName: string): string | undefined {
  return nameAndOrdinal.exec(podName)?.[1];
}

/** The pod bears a name that this set would give. Upstream's isMemberOf. */
export function isMember(set: StatefulSet, { metadata }: { metadata: { name: string } }): boolean {
  return setNameOf(metadata.name) === set.metadata.name;
}

/** The first ordinal, and the one after the last. */
export function ordinalRange({ spec }: StatefulSet): { start: number; end: number } {
  const start = spec?.ordinals?.start ?? 0;
  return { start, end: start + (spec?.replicas ?? 1) };
}

/** The pod is one of those that the set wants. Upstream's podInOrdinalRange. */
export function inRange(set: StatefulSet, pod: { metadata: { name: string } }): boolean {
  const { start, end } = ordinalRange(set);
  const ordinal = ordinalOf(pod);
  return ordinal >= start && ordinal < end;
}

/** The revision that the pod was made of. */
export function revisionOf({ metadata }: AnyPod): string {
  return metadata.labels?.[revisionLabel] ?? "";
}

/** The pod with this ordinal, as the template makes it. Upstream's newStatefulSetPod. */
export function newPod({
  set,
  template,
  revision,
  ordinal,
}: {
  set: StatefulSet;
  template: PodTemplateSpec;
  revision: string;
  ordinal: number;
}): NewObject<Pod> & AnyPod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = {
    metadata: {
      name,
      namespace: set.metadata.namespace!,
      generateName: `${set.metadata.name}-`,
      labels: { ...labels, [revisionLabel]: revision },
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerRef(set, statefulsets)],
    },
    spec: { ...template.spec!, hostname: name, subdomain: set.spec?.serviceName ?? "" },
  };
  return withStorage(set, withIdentity(pod));
}

/** Upstream's identityMatches. */
export function identityMatches(set: StatefulSet, pod: AnyPod): boolean {
  return isMember(set, pod) && pod.metadata.labels?.[podNameLabel] === pod.metadata.name;
}

/** The pod with the labels of its identity. Upstream's updateIdentity. */
export function withIdentity<P extends AnyPod>(pod: P): P {
  const identity = { [podNameLabel]: pod.metadata.name, [podIndexLabel]: String(ordinalOf(pod)) };
  return { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...identity } } };
}

/** The claims of the pod with this ordinal, by the name of their volume. Upstream's getPersistentVolumeClaims. */
export function claimsOf(set: StatefulSet, ordinal: number): Map<string, NewObject<PersistentVolumeClaim> & Named> {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  return new Map(
    templates.map((template) => {
      const volume = template.metadata?.name ?? "";
      const { status: _, ...claim } = template;
      const metadata = {
        ...template.metadata,
        name: `${volume}-${set.metadata.name}-${ordinal}`,
        namespace: set.metadata.namespace!,
        labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
      };
      return [volume, { ...(claim as PersistentVolumeClaim), metadata }];
    }),
  );
}

interface Named {
  metadata: { name: string; namespace: string };
}

/** The pod mounts what belongs to its ordinal. Upstream's storageMatches. */
export function storageMatches(set: StatefulSet, pod: AnyPod): boolean {
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]));
  return [...claimsOf(set, ordinalOf(pod))].every(
    ([name, { metadata }]) => volumes.get(name)?.persistentVolumeClaim?.claimName === metadata.name,
  );
}

/** The pod with a volume for each claim; those of the same name give way. Upstream's updateStorage. */
export function withStorage<P extends AnyPod>(set: StatefulSet, pod: P): P {
  const claims = claimsOf(set, ordinalOf(pod));
  if (claims.size === 0) return pod;
  const mounted = [...claims].map(([name, { metadata }]) => ({
    name,
    persistentVolumeClaim: { claimName: metadata.name },
  }));
  const others = (pod.spec?.volumes ?? []).filter(({ name }) => !claims.has(name));
  return { ...pod, spec: { ...pod.spec!, volumes: [...mounted, ...others] } };
}
