// Which objects the pods of a node mention (upstream: plugin/pkg/auth/authorizer/node graph.go). Follows pods through
// storage; decides nothing.

import {
  type Container,
  type PersistentVolume,
  type Pod,
  type PodSpec,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
} from "@picokube/api/core/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";

/** "secrets:default/db", "persistentvolumes:pv-1": what a pod refers to. */
export type Reference = string;

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

function containersOf(spec: PodSpec): Container[] {
  const ephemeral = (spec.ephemeralContainers ?? []) as unknown as Container[];
  return [...(spec.initContainers ?? []), ...spec.containers, ...ephemeral];
}

/** Every Secret, ConfigMap, claim and ServiceAccount that a pod's spec names. */
export function podReferences(pod: Pod): Set<Reference> {
  const found = new Set<Reference>();
  const { spec } = pod;
  // What a node's own static pod claims to need gives the node nothing.
  if (!spec || pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return found;
  const add = (resource: string, name: string | undefined): void => {
    if (name) found.add(`${resource}:${pod.metadata.namespace}/${name}`);
  };
  add("serviceaccounts", spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) add("secrets", secret.name);
  for (const container of containersOf(spec)) {
    for (const source of container.envFrom ?? []) {
      add("secrets", source.secretRef?.name);
      add("configmaps", source.configMapRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add("secrets", valueFrom?.secretKeyRef?.name);
      add("configmaps", valueFrom?.configMapKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    add("secrets", volume.secret?.secretName);
    add("configmaps", volume.configMap?.name);
    add("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral) add("persistentvolumeclaims", `${pod.metadata.name}-${volume.name}`);
    add("secrets", volume.csi?.nodePublishSecretRef?.name);
    for (const source of volume.projected?.sources ?? []) {
      add("secrets", source.secret?.name);
      add("configmaps", source.configMap?.name);
    }
  }
  return found;
}

function volumeSecrets(volume: PersistentVolume): Reference[] {
  const { csi } = volume.spec ?? {};
  const refs = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef];
  return refs.flatMap((ref) => (ref?.name ? [`secrets:${ref.namespace}/${ref.name}`] : []));
}

export interface NodeGraph {
  /** Whether a pod bound to the node refers to the object, directly or through a claim's volume. */
  reaches(node: string, reference: Reference): boolean;
}

/** Keeps the references of each node's pods current; reads storage at the first question. */
export function nodeGraph(storage: StorageRegistry): NodeGraph {
  let perNode: Map<string, Map<string, Set<Reference>>> | undefined;
  const keyOf = (pod: Pod) => `${pod.metadata.namespace}/${pod.metadata.name}`;

  function place(pods: Map<string, Map<string, Set<Reference>>>, pod: Pod): void {
    const node = pod.spec?.nodeName;
    if (!node) return;
    const ofNode = pods.get(node) ?? new Map<string, Set<Reference>>();
    pods.set(node, ofNode);
    ofNode.set(keyOf(pod), podReferences(pod));
  }

  function remove(all: Map<string, Map<string, Set<Reference>>>, pod: Pod): void {
    const node = pod.spec?.nodeName;
    const ofNode = node ? all.get(node) : undefined;
    ofNode?.delete(keyOf(pod));
    if (node && ofNode?.size === 0) all.delete(node);
  }

  function current(): Map<string, Map<string, Set<Reference>>> {
    if (perNode) return perNode;
    const built = new Map<string, Map<string, Set<Reference>>>();
    const stored = storage.for(pods);
    for (const pod of stored.list()) place(built, pod);
    stored.onChange(({ type, object, previous }) => {
      // Most updates are of status: the references of a bound pod's spec never change but by ephemeral containers.
      const specs = [previous?.spec?.nodeName, previous?.spec?.ephemeralContainers?.length].join();
      if (type === "MODIFIED" && specs === [object.spec?.nodeName, object.spec?.ephemeralContainers?.length].join())
        return;
      remove(built, previous ?? object);
      if (type !== "DELETED") place(built, object);
    });
    perNode = built;
    return built;
  }

  /** The volumes that the claims of a pod are bound to. */
  function* volumesOf(references: Set<Reference>): Generator<PersistentVolume> {
    for (const reference of references) {
      if (!reference.startsWith("persistentvolumeclaims:")) continue;
      const [namespace = "", name = ""] = reference.slice("persistentvolumeclaims:".length).split("/");
      const volumeName = storage.for(persistentvolumeclaims).get(namespace, name)?.spec?.volumeName;
      const volume = volumeName ? storage.for(persistentvolumes).get("", volumeName) : undefined;
      if (volume) yield volume;
    }
  }

  return {
    reaches(node, reference) {
      const throughVolume = reference.startsWith("persistentvolumes:") || reference.startsWith("secrets:");
      for (const references of current().get(node)?.values() ?? []) {
        if (references.has(reference)) return true;
        if (!throughVolume) continue;
        for (const volume of volumesOf(references)) {
          if (reference === `persistentvolumes:${volume.metadata.name}`) return true;
          if (volumeSecrets(volume).includes(reference)) return true;
        }
      }
      return false;
    },
  };
}
