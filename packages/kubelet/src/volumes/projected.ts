// projected volumes: service account tokens, configMaps, secrets and downwardAPI files in one directory.

import { isNotFound } from "@picokube/api/errors";
import { aggregate } from "../node/node-conditions.js";
import { configMapData } from "./config-map.js";
import { downwardPayload } from "./downward-api.js";
import { fsUserOf } from "./ownership.js";
import { defaultMode, keysPayload, type OwnedPayload, optionalObject, setUpPayload } from "./payload-volume.js";
import { secretData } from "./secret.js";
import type { VolumeContext, VolumePlugin } from "./volume-plugin.js";

const defaultTokenSeconds = 3600;

type Source = NonNullable<NonNullable<VolumeContext["volume"]["projected"]>["sources"]>[number];

async function sourcePayload(source: Source, mode: number, { pod, sources }: VolumeContext): Promise<OwnedPayload> {
  const namespace = pod.metadata.namespace ?? "default";
  const { objects, tokens } = sources;
  if (source.secret) {
    const { name = "", items, optional } = source.secret;
    const found = await optionalObject(objects.secret(namespace, name), optional);
    return keysPayload(secretData(found), { items: found ? items : [], mode, optional, kind: "secret" });
  }
  if (source.configMap) {
    const { name = "", items, optional } = source.configMap;
    const found = await optionalObject(objects.configMap(namespace, name), optional);
    return keysPayload(configMapData(found), { items: found ? items : [], mode, optional, kind: "config" });
  }
  if (source.downwardAPI) return downwardPayload(pod, source.downwardAPI.items, { mode, node: objects.node() });
  if (source.serviceAccountToken) {
    const { audience, expirationSeconds = defaultTokenSeconds, path } = source.serviceAccountToken;
    const token = await tokens.get(pod, { audience, expirationSeconds });
    const owner = fsUserOf(pod);
    // Whoever is not root reads it through user or group: nobody else may.
    const narrow = owner !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
    const file = { data: Buffer.from(token), mode: narrow ? 0o600 : mode };
    return new Map([[path, owner === undefined ? file : { ...file, owner }]]);
  }
  // A source whose feature gate the API server has off comes without content.
  if (Object.keys(source).length === 0) return new Map();
  throw new Error("projected volume source is not supported");
}

export const projectedPlugin: VolumePlugin = {
  field: "projected",
  refreshes: true,
  async setUp(context) {
    const { sources = [], defaultMode: mode = defaultMode } = context.volume.projected!;
    const results = await Promise.allSettled(sources.map((source) => sourcePayload(source, mode, context)));
    const failures = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as Error);
    if (failures.length === 1 && isNotFound(failures[0])) throw failures[0];
    if (failures.length > 0) throw new Error(aggregate(failures.map(({ message }) => message)), { cause: failures[0] });
    const payload: OwnedPayload = new Map(
      results.flatMap((result) => (result.status === "fulfilled" ? [...result.value] : [])),
    );
    return setUpPayload(context, { plugin: "kubernetes.io~projected", memory: true, payload });
  },
};
