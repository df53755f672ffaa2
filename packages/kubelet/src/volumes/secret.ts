// secret volumes; their files never touch a disk.

import type { Secret } from "@picokube/api/core/v1";
import { defaultMode, keysPayload, optionalObject, setUpPayload } from "./payload-volume.js";
import type { VolumePlugin } from "./volume-plugin.js";

/** data as bytes. */
export function secretData(secret: Secret | undefined): Map<string, Buffer> {
  return new Map(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));
}

export const secretPlugin: VolumePlugin = {
  field: "secret",
  refreshes: true,
  async setUp(context) {
    const { secretName = "", items, defaultMode: mode = defaultMode, optional } = context.volume.secret!;
    const { objects } = context.sources;
    const found = await optionalObject(
      objects.secret(context.pod.metadata.namespace ?? "default", secretName),
      optional,
    );
    const payload = keysPayload(secretData(found), { items: found ? items : [], mode, optional, kind: "secret" });
    return setUpPayload(context, { plugin: "kubernetes.io~secret", memory: true, payload });
  },
};
