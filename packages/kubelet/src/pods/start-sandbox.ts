// Makes a pod's sandbox and wires its network. The address is known before the sandbox is: containers can be created
// while the wire is being laid.

import type { Pod } from "@picokube/api/core/v1";
import { limitPodCgroup, podCgroupParent } from "../cgroups/pod-cgroup.js";
import type { SandboxConfig } from "../cri/runtime.js";
import { type HostPort, hostPortsOf } from "../network/host-ports.js";
import { podHostname } from "../network/hosts-file.js";
import { networkOwner, type PodContext } from "./pod-context.js";

export interface StartedSandbox {
  readonly id: string;
  readonly podIps: readonly string[];
  /** Resolves when the network is up; containers must not start before. */
  readonly wired: Promise<void>;
}

function sandboxConfig(context: PodContext, pod: Pod, attempt: number): SandboxConfig {
  const { spec, metadata } = pod;
  return {
    podName: metadata.name,
    podNamespace: metadata.namespace ?? "",
    podUid: metadata.uid,
    attempt,
    hostname: podHostname(pod),
    labels: metadata.labels ?? {},
    annotations: {},
    network: spec?.hostNetwork ? "host" : "pod",
    hostPid: spec?.hostPID === true,
    hostIpc: spec?.hostIPC === true,
    cgroupParent: context.cgroups && podCgroupParent(pod, context.cgroups),
    sysctls: Object.fromEntries((spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
  };
}

function limitPod(context: PodContext, pod: Pod, parent: string | undefined): void {
  if (parent === undefined || context.cgroups?.driver !== "cgroupfs") return;
  try {
    limitPodCgroup(pod, parent, { onlyWiden: false });
  } catch (error) {
    context.logger.v(2).info("Cannot limit the pod's cgroup", { pod: pod.metadata.name, err: error });
  }
}

/** Resolves when the sandbox runs. On failure nothing of it is left. */
export async function startSandbox(context: PodContext, pod: Pod, attempt: number): Promise<StartedSandbox> {
  const { runtime, network, settings, files } = context;
  const hostNetwork = pod.spec?.hostNetwork === true;
  const owner = networkOwner({ podUid: pod.metadata.uid, attempt });
  const config = sandboxConfig(context, pod, attempt);
  limitPod(context, pod, config.cgroupParent);
  const podIps = hostNetwork ? settings.nodeIps : [network.reserve(owner)];
  try {
    files.write(pod, podIps);
    const id = await runtime.runSandbox(config);
    return {
      id,
      podIps,
      wired: hostNetwork ? Promise.resolve() : wire(context, { id, owner, ports: hostPortsOf(pod) }),
    };
  } catch (error) {
    if (!hostNetwork) await network.detach(owner).catch(() => undefined);
    throw error;
  }
}

interface Wire {
  readonly id: string;
  readonly owner: string;
  readonly ports: readonly HostPort[];
}

async function wire({ runtime, network }: PodContext, { id, owner, ports }: Wire): Promise<void> {
  try {
    const { pid } = await runtime.sandboxStatus(id);
    await network.attach(owner, pid);
    if (ports.length > 0) await network.publish(owner, ports);
  } catch (error) {
    await network.detach(owner).catch(() => undefined);
    await runtime.stopSandbox(id).catch(() => undefined);
    await runtime.removeSandbox(id).catch(() => undefined);
    throw error;
  }
}
