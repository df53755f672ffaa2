// What configMap, secret, projected and downwardAPI volumes share: a directory or tmpfs filled by the atomic writer.

import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { KeyToPath } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { type PayloadFile, writeAtomically } from "./atomic-writer.js";
import { isOtherFileSystem, mountTmpfs } from "./mounter.js";
import { setGroupOwnership } from "./ownership.js";
import type { VolumeContext } from "./volume-plugin.js";

export interface OwnedPayloadFile extends PayloadFile {
  /** A service account token may belong to the user that the containers run as. */
  readonly owner?: number;
}

export type OwnedPayload = Map<string, OwnedPayloadFile>;

export const defaultMode = 0o644;

const missingKey = {
  config: "configmap references non-existent config key",
  secret: "references non-existent secret key",
} as const;

/** The keys of an object as files: all, or those that items name. */
export function keysPayload(
  data: ReadonlyMap<string, Buffer>,
  {
    items,
    mode,
    optional,
    kind,
  }: {
    items: readonly KeyToPath[] | undefined;
    mode: number;
    optional: boolean | undefined;
    kind: "config" | "secret";
  },
): OwnedPayload {
  if (!items || items.length === 0) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]));
  const payload: OwnedPayload = new Map();
  for (const item of items) {
    const bytes = data.get(item.key);
    if (bytes) payload.set(item.path, { data: bytes, mode: item.mode ?? mode });
    else if (!optional) throw new Error(`${missingKey[kind]}: ${item.key}`);
  }
  return payload;
}

/** The object, or undefined when it is optional and missing. */
export async function optionalObject<T>(get: Promise<T>, optional: boolean | undefined): Promise<T | undefined> {
  try {
    return await get;
  } catch (error) {
    if (optional && isNotFound(error)) return undefined;
    throw error;
  }
}

/** Fills <volumesDir>/<plugin>/<volume> with the payload and returns that path. */
export async function setUpPayload(
  { pod, volume, volumesDir }: VolumeContext,
  { plugin, memory, payload }: { plugin: string; memory: boolean; payload: OwnedPayload },
): Promise<string> {
  const path = join(volumesDir, plugin, volume.name);
  await mkdir(path, { recursive: true, mode: 0o750 });
  if (memory && !(await isOtherFileSystem(path))) await mountTmpfs(path, { mode: 0o777 });
  await chmod(path, 0o777);
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  await writeAtomically(path, payload, async (versionDirectory) => {
    if (fsGroup !== undefined) await setGroupOwnership(versionDirectory, fsGroup, { readOnly: true });
    for (const [name, { owner, mode }] of payload) {
      if (owner === undefined) continue;
      const file = join(versionDirectory, name);
      await chown(file, owner, fsGroup ?? -1);
      await chmod(file, mode | (fsGroup === undefined ? 0 : 0o440));
    }
  });
  return path;
}
