// Makes a pod's sandbox and wires its network. Where the address is known before the sandbox is, containers can be created
// while the wire is being laid; CNI plugins tell it only afterwards.

import type { Pod } from "@picokube/api/core/v1";
import { limitPodCgroup, podCgroupParent } from "../cgroups/pod-cgroup.js";
import { shareByQos } from "../cgroups/qos-cgroups.js";
import type { SandboxConfig } from "../cri/runtime.js";
import { hostPortsOf } from "../network/host-ports.js";
import { kernelHostname } from "../network/hosts-file.js";
import { normalSysctl } from "./host-admission.js";
import { networkOwner, type PodContext } from "./pod-context.js";

export interface StartedSandbox {
  readonly id: string;
  readonly podIps: readonly string[];
  /** Resolves when the network is up; containers must not start before. */
  readonly wired: Promise<void>;
}

/** Throws, and tells, while the node's network is not up and the pod needs it. */
export function requireNetwork({ network, events }: Pick<PodContext, "network" | "events">, pod: Pod): void {
  const problems = pod.spec?.hostNetwork ? [] : network.problems();
  if (problems.length === 0) return;
  const message = `network is not ready: ${problems.join("; ")}`;
  events.warning(pod, { reason: "NetworkNotReady", message });
  throw new Error(message);
}

async function sandboxConfig(context: PodContext, pod: Pod, attempt: number): Promise<SandboxConfig> {
  const { spec, metadata } = pod;
  const runtimeHandler = await context.runtimeHandlerOf(pod);
  if (spec?.hostUsers === false) {
    // The engine maps users for all of its containers or for none.
    throw new Error(`RuntimeClass handler "${runtimeHandler ?? ""}" does not support user namespaces`);
  }
  return {
    podName: metadata.name,
    podNamespace: metadata.namespace ?? "",
    podUid: metadata.uid,
    attempt,
    hostname: kernelHostname(pod, context.settings.clusterDomain),
    labels: metadata.labels ?? {},
    annotations: {},
    network: spec?.hostNetwork ? "host" : "pod",
    hostPid: spec?.hostPID === true,
    hostIpc: spec?.hostIPC === true,
    cgroupParent: context.cgroups && podCgroupParent(pod, context.cgroups),
    sysctls: Object.fromEntries(
      (spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [normalSysctl(name), value]),
    ),
    ...(runtimeHandler === undefined ? {} : { runtimeHandler }),
  };
}

function limitPod(context: PodContext, pod: Pod, parent: string | undefined): void {
  if (parent === undefined || context.cgroups?.driver !== "cgroupfs") return;
  try {
    shareByQos(context.cgroups, [pod, ...context.otherPods(pod.metadata.uid)]);
    limitPodCgroup(pod, parent, { onlyWiden: false, maxPids: context.settings.podPidsLimit });
  } catch (error) {
    context.logger.v(2).info("Cannot limit the pod's cgroup", { pod: pod.metadata.name, err: error });
  }
}

function writeFiles({ files, events }: PodContext, pod: Pod, podIps: readonly string[]): void {
  for (const warning of files.write(pod, podIps)) events.warning(pod, warning);
}

/** Resolves when the sandbox runs. On failure nothing of it is left. */
export async function startSandbox(context: PodContext, pod: Pod, attempt: number): Promise<StartedSandbox> {
  const { runtime, network, settings } = context;
  const hostNetwork = pod.spec?.hostNetwork === true;
  const owner = networkOwner({ podUid: pod.metadata.uid, attempt });
  const config = await sandboxConfig(context, pod, attempt);
  limitPod(context, pod, config.cgroupParent);
  const reserved = hostNetwork ? undefined : await network.reserve(owner);
  const known = hostNetwork ? settings.nodeIps : reserved === undefined ? undefined : [reserved];
  try {
    if (known) writeFiles(context, pod, known);
    const id = await runtime.runSandbox(config);
    if (hostNetwork) return { id, podIps: settings.nodeIps, wired: Promise.resolve() };
    const wiring = wire(context, { id, owner, pod });
    if (known) return { id, podIps: known, wired: wiring.then(() => undefined) };
    const podIps = await wiring;
    writeFiles(context, pod, podIps);
    return { id, podIps, wired: Promise.resolve() };
  } catch (error) {
    if (!hostNetwork) await network.detach(owner).catch(() => undefined);
    throw error;
  }
}

interface Wire {
  readonly id: string;
  readonly owner: string;
  readonly pod: Pod;
}

async function wire({ runtime, network }: PodContext, { id, owner, pod }: Wire): Promise<readonly string[]> {
  try {
    const { pid } = await runtime.sandboxStatus(id);
    const { name, namespace = "", uid } = pod.metadata;
    const ports = hostPortsOf(pod);
    return await network.attach(owner, { id, pid, podName: name, podNamespace: namespace, podUid: uid, ports });
  } catch (error) {
    await network.detach(owner).catch(() => undefined);
    await runtime.stopSandbox(id).catch(() => undefined);
    await runtime.removeSandbox(id).catch(() => undefined);
    throw error;
  }
}
