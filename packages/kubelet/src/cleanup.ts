// `kubelet --cleanup`: removes all that a kubelet with this root directory made on the host: containers, cgroups, mounts
// and files of pods, the pod network. Never touches what pods had mounted from the host.

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CgroupTree, removePodCgroup, removeQosCgroups } from "./cgroups/pod-cgroup.js";
import { RuntimeNotFound } from "./cri/errors.js";
import type { Runtime } from "./cri/runtime.js";
import type { LogFiles } from "./logs/log-files.js";
import type { CniNetwork } from "./network/cni/cni-network.js";
import { cleanupPodNetwork } from "./network/pod-network.js";
import { removeUtilChains } from "./network/util-chains.js";
import { mountedBelow, unmount } from "./volumes/mounter.js";

export interface CleanupOptions {
  readonly runtime: Runtime;
  readonly rootDir: string;
  readonly bridge: string;
  readonly chainPrefix: string | undefined;
  readonly cgroups: CgroupTree;
  readonly logs: Pick<LogFiles, "remove">;
  readonly cni: Pick<CniNetwork, "owners" | "detach">;
}

/** Idempotent; the kubelet must not be running. Rejects with the first thing that could not be removed, after trying the rest. */
export async function cleanup(options: CleanupOptions): Promise<void> {
  const { runtime, rootDir, bridge, chainPrefix, cgroups, logs, cni } = options;
  const faults: unknown[] = [];
  const attempt = (work: () => Promise<unknown>) =>
    work().catch((error: unknown) => {
      if (!(error instanceof RuntimeNotFound)) faults.push(error);
    });
  await attempt(async () => {
    const [containers, sandboxes] = await Promise.all([runtime.listContainers(), runtime.listSandboxes()]);
    // A pod that has ended has log files still, but nothing below the root directory.
    for (const uid of new Set([...containers, ...sandboxes].map(({ podUid }) => podUid))) await logs.remove(uid);
    await Promise.all(
      containers.map(({ id }) => attempt(() => runtime.stopContainer(id, 0).then(() => runtime.removeContainer(id)))),
    );
    await Promise.all(
      sandboxes.map(({ id }) => attempt(() => runtime.stopSandbox(id).then(() => runtime.removeSandbox(id)))),
    );
    for (const uid of new Set(sandboxes.map(({ podUid }) => podUid))) removePodCgroup(uid, cgroups);
    removeQosCgroups(cgroups);
  });
  await attempt(async () => {
    for (const path of await mountedBelow(rootDir)) await unmount(path);
    for (const uid of await readdir(join(rootDir, "pods")).catch(() => [])) await logs.remove(uid);
    await rm(join(rootDir, "pods"), { recursive: true, force: true });
  });
  for (const owner of cni.owners()) await attempt(() => cni.detach(owner));
  await attempt(() => cleanupPodNetwork({ bridge, directory: join(rootDir, "network") }));
  if (chainPrefix !== undefined) await attempt(() => removeUtilChains({ prefix: chainPrefix }));
  if (faults.length > 0) throw faults[0];
}
