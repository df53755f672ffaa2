// A NodeStatus put together from the machine, the runtime and the kubelet's settings, and the patch that brings the
// API's to it. Makes no request of the API.

import type { ContainerImage, Node, NodeAddress, NodeStatus } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { formatTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import { version } from "@picokube/component-base/version";
import type { ImageInfo, Runtime } from "../cri/runtime.js";
import type { PressureCondition } from "../eviction/signals.js";
import type { KubeletSettings, RuntimeHealth } from "../parts.js";
import { askRuntime } from "./ask-runtime.js";
import { fileSystem, hostAddress, type Machine } from "./machine.js";
import { nodeConditions } from "./node-conditions.js";
import { nodeResources } from "./node-resources.js";

const maxNames = 5;

export interface NodeStatusSources {
  settings: KubeletSettings;
  machine: Machine;
  runtime: Runtime;
  health: RuntimeHealth;
  pressures: () => readonly PressureCondition[];
  clock: Clock;
}

/** Go's name of the processor. */
export const architecture = process.arch === "x64" ? "amd64" : process.arch;

/** The largest images first, digests before tags; maxImages -1 for all of them. */
export function nodeImages(images: readonly ImageInfo[], maxImages: number): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .map(({ digests, tags, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, maxNames), sizeBytes }))
    .filter(({ names }) => names.length > 0)
    .slice(0, maxImages === -1 ? undefined : maxImages);
}

/** Upstream's NodeAddress. Where a cloud completes the node, those that it wrote stay. */
async function nodeAddresses(
  { externalCloud, nodeIps, nodeIpsGiven, nodeName }: KubeletSettings,
  before: readonly NodeAddress[],
): Promise<NodeAddress[]> {
  if (externalCloud && (before.length > 0 || nodeIpsGiven.length === 0)) return [...before];
  const found = nodeIps.length > 0 ? nodeIps : [await hostAddress()].filter((address) => address !== undefined);
  return [...found.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: nodeName }];
}

/** The whole status as of nowMs; what cannot be asked of a runtime that is down is kept from before. */
export async function nodeStatus(
  { settings, machine, runtime, health, pressures, clock }: NodeStatusSources,
  before: NodeStatus,
  nowMs: number,
): Promise<NodeStatus> {
  const [disk, asked] = await Promise.all([
    fileSystem(settings.rootDir).catch(() => fileSystem("/")),
    askRuntime(runtime, clock),
  ]);
  const { images, version: runtimeVersion, handlers, recursiveReadOnlyMounts = false } = asked;
  const { memoryBytes, cpus } = machine;
  const resources = nodeResources(
    {
      cpus,
      memoryBytes,
      ephemeralStorageBytes: settings.localStorageCapacityIsolation ? disk.capacityBytes : undefined,
    },
    settings,
    before.capacity as Record<string, string> | undefined,
  );
  const pressing = new Set(pressures());
  const signs = {
    memoryPressure: pressing.has("MemoryPressure"),
    diskPressure: pressing.has("DiskPressure"),
    pidPressure: pressing.has("PIDPressure"),
    problems: [...health.problems(), ...health.networkProblems()],
  };
  const runtimeWords = runtimeVersion
    ? `${runtimeVersion.runtimeName}://${runtimeVersion.runtimeVersion}`
    : (before.nodeInfo?.containerRuntimeVersion ?? "docker://Unknown");
  return {
    ...resources,
    conditions: nodeConditions(before.conditions ?? [], signs, formatTime(nowMs)),
    addresses: await nodeAddresses(settings, before.addresses ?? []),
    daemonEndpoints: { kubeletEndpoint: { Port: settings.port } },
    nodeInfo: {
      machineID: machine.machineID,
      systemUUID: machine.systemUUID,
      bootID: machine.bootID,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: runtimeWords,
      kubeletVersion: version.gitVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture,
      ...(machine.swapBytes > 0 ? { swap: { capacity: machine.swapBytes } } : {}),
    },
    images: images ? nodeImages(images, settings.nodeStatusMaxImages) : (before.images ?? []),
    runtimeHandlers: handlers
      ? ["", ...handlers].map((name) => runtimeHandler(name, { recursiveReadOnlyMounts }))
      : (before.runtimeHandlers ?? []),
    // Groups of the image's /etc/group always count beside those of the pod.
    features: { supplementalGroupsPolicy: false },
  };
}

/** The engine maps users for all of its containers or for none; "" is the default runtime. */
const runtimeHandler = (name: string, { recursiveReadOnlyMounts }: { recursiveReadOnlyMounts: boolean }) => ({
  name,
  features: { recursiveReadOnlyMounts, userNamespaces: false },
});

function withoutHeartbeats(status: NodeStatus): unknown[] {
  return (status.conditions ?? []).map(({ lastHeartbeatTime: _, ...condition }) => condition);
}

/** The "status" of a strategic merge patch; undefined when only heartbeats differ. */
export function nodeStatusPatch(node: Node, wanted: NodeStatus): Record<string, unknown> | undefined {
  const before = node.status ?? {};
  const own = new Set((wanted.conditions ?? []).map(({ type }) => type));
  const known: NodeStatus = { ...before, conditions: (before.conditions ?? []).filter(({ type }) => own.has(type)) };
  const order = (status: NodeStatus) =>
    withoutHeartbeats(status).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  let changed = !semanticDeepEqual(order(known), order(wanted));
  const patch: Record<string, unknown> = { conditions: wanted.conditions };
  for (const field of [
    "capacity",
    "allocatable",
    "addresses",
    "daemonEndpoints",
    "nodeInfo",
    "images",
    "runtimeHandlers",
    "features",
  ] as const) {
    if (semanticDeepEqual(before[field], wanted[field])) continue;
    changed = true;
    // Addresses merge by type, and there may be two of one: replace them all.
    patch[field] = field === "addresses" ? [{ $patch: "replace" }, ...(wanted.addresses ?? [])] : wanted[field];
  }
  return changed ? patch : undefined;
}

/** What is sent when nothing has changed for long: the heartbeats. */
export function heartbeatPatch(wanted: NodeStatus): Record<string, unknown> {
  return { conditions: wanted.conditions };
}
