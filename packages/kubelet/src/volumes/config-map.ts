// configMap volumes.

import type { ConfigMap } from "@picokube/api/core/v1";
import { defaultMode, keysPayload, optionalObject, setUpPayload } from "./payload-volume.js";
import type { VolumePlugin } from "./volume-plugin.js";

/** data and binaryData as bytes. */
export function configMapData(configMap: ConfigMap | undefined): Map<string, Buffer> {
  const text = Object.entries(configMap?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(configMap?.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, "base64")] as const,
  );
  return new Map([...text, ...binary]);
}

export const configMapPlugin: VolumePlugin = {
  field: "configMap",
  refreshes: true,
  async setUp(context) {
    const { name = "", items, defaultMode: mode = defaultMode, optional } = context.volume.configMap!;
    const { objects } = context.sources;
    const found = await optionalObject(objects.configMap(context.pod.metadata.namespace ?? "default", name), optional);
    const payload = keysPayload(configMapData(found), { items: found ? items : [], mode, optional, kind: "config" });
    return setUpPayload(context, { plugin: "kubernetes.io~configmap", memory: false, payload });
  },
};
