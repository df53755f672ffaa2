// nfs volumes: mounted by the host's mount(8), which needs mount.nfs beside it.

import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isOtherFileSystem, mountFileSystem } from "./mounter.js";
import type { VolumePlugin } from "./volume-plugin.js";

export interface NfsSource {
  readonly server: string;
  readonly path: string;
  readonly readOnly?: boolean;
}

/** Mounts it below volumesDir under the name, once. Throws upstream's words when mount(8) fails. */
export async function setUpNfs(
  { server, path, readOnly }: NfsSource,
  {
    volumesDir,
    name,
    mountOptions = [],
    signal,
  }: { volumesDir: string; name: string; mountOptions?: readonly string[]; signal: AbortSignal },
): Promise<string> {
  const target = join(volumesDir, "kubernetes.io~nfs", name);
  if (await isOtherFileSystem(target)) return target;
  await mkdir(target, { recursive: true, mode: 0o750 });
  // An address of IPv6 stands in brackets, or its colons would end the server's name.
  const host = server.includes(":") && !server.startsWith("[") ? `[${server}]` : server;
  const options = [...(readOnly ? ["ro"] : []), ...mountOptions];
  try {
    await mountFileSystem({ type: "nfs", source: `${host}:${path}`, target, options, signal });
  } catch (error) {
    await rmdir(target).catch(() => undefined);
    throw error;
  }
  return target;
}

export const nfsPlugin: VolumePlugin = {
  field: "nfs",
  refreshes: false,
  setUp: ({ volume, volumesDir, signal }) => setUpNfs(volume.nfs!, { volumesDir, name: volume.name, signal }),
};
