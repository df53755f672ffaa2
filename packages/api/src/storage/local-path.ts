// Local-path volumes: the words between the provisioner, which knows the API, and the kubelets, which have the disks.
// Both speak through annotations of the Node, which each may write. Pure.

import type { PersistentVolume, PersistentVolumeClaim } from "../core/v1.js";

/** The provisioner's name, in classes and on volumes. */
export const localPathProvisioner = "picokube.io/local-path";

/** On a Node: the directory under which its kubelet makes and removes volumes. Absent: it has none to offer. */
export const localPathRoot = "local-path.picokube.io/root";

/** What a kubelet answers to a request to remove. */
export const removed = "removed";

const requestPrefix = "remove.local-path.picokube.io/";

/** On a Node, by volume: the directory to remove, or "removed". */
export const removalOf = (volumeName: string) => `${requestPrefix}${volumeName}`;

/** The volumes whose removal a Node is asked for or has answered, with what the annotations say. */
export function removalsOn(annotations: { readonly [name: string]: string } | undefined): Map<string, string> {
  const requests = Object.entries(annotations ?? {}).filter(([name]) => name.startsWith(requestPrefix));
  return new Map(requests.map(([name, value]) => [name.slice(requestPrefix.length), value]));
}

const nameBytes = 255;

/** The directory of a claim's volume: the volume's name, for it to be unique, and the claim's, for people. */
export function localPathDirectory(volumeName: string, { metadata }: Pick<PersistentVolumeClaim, "metadata">): string {
  return `${volumeName}_${metadata.namespace}_${metadata.name}`.slice(0, nameBytes);
}

/** Whether a name is one that localPathDirectory gives: a plain name of one directory, never a way out of its root. */
export function isLocalPathDirectory(name: string): boolean {
  return (
    name.length <= nameBytes && /^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[a-z0-9-]+_[a-z0-9.-]+$/.test(name)
  );
}

/** The node and the directory of a local-path volume; undefined for every other volume. */
export function localPathPlace({ spec }: PersistentVolume): { hostname: string; directory: string } | undefined {
  const [term] = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hostname = term?.matchExpressions?.find(({ key }) => key === "kubernetes.io/hostname")?.values?.[0];
  const directory = spec?.local?.path.split("/").at(-1);
  return hostname === undefined || directory === undefined ? undefined : { hostname, directory };
}
