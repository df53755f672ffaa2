// downwardAPI volumes: files that tell a pod of itself.

import type { Node, ObjectFieldSelector, Pod, ResourceFieldSelector } from "@picokube/api/core/v1";
import { metadataFieldValue, resourceFieldValue } from "../env/field-ref.js";
import { defaultMode, type OwnedPayload, setUpPayload } from "./payload-volume.js";
import type { VolumePlugin } from "./volume-plugin.js";

interface DownwardFile {
  readonly path: string;
  readonly fieldRef?: ObjectFieldSelector;
  readonly resourceFieldRef?: ResourceFieldSelector;
  readonly mode?: number;
}

/** The files of a downwardAPI source. */
export function downwardPayload(
  pod: Pod,
  items: readonly DownwardFile[] | undefined,
  { mode, node }: { mode: number; node: Node | undefined },
): OwnedPayload {
  const payload: OwnedPayload = new Map();
  for (const item of items ?? []) {
    let text = "";
    if (item.fieldRef) text = metadataFieldValue(pod, item.fieldRef.fieldPath);
    else if (item.resourceFieldRef) {
      const { containerName } = item.resourceFieldRef;
      const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
      const container = all.find(({ name }) => name === containerName);
      if (!container) throw new Error(`container ${containerName} not found`);
      text = resourceFieldValue(container, item.resourceFieldRef, node);
    }
    payload.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode });
  }
  return payload;
}

export const downwardApiPlugin: VolumePlugin = {
  field: "downwardAPI",
  refreshes: true,
  async setUp(context) {
    const { items, defaultMode: mode = defaultMode } = context.volume.downwardAPI!;
    const payload = downwardPayload(context.pod, items, { mode, node: context.sources.objects.node() });
    return setUpPayload(context, { plugin: "kubernetes.io~downward-api", memory: true, payload });
  },
};
