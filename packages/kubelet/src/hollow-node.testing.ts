// A node that exists in the API alone: the kubelet's own pod workers, PLEG, prober, status manager and node agent over the
// in-memory runtime. For scale tests, many to a process: no container, no network, no file. Upstream's hollow node (kubemark).

import { nodes, pods, services } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { createEventRecorder } from "@picokube/client/event-recorder";
import { createInformerFactory } from "@picokube/client/shared-informer";
import type { Clock } from "@picokube/component-base/clock";
import { parseFlags } from "@picokube/component-base/flag-set";
import type { Logger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import type { AllocatedPods } from "./allocation/allocated-pods.js";
import { createMemoryRuntime } from "./cri/memory/memory-runtime.js";
import { flags } from "./flags.js";
import { createImageManager } from "./images/image-manager.js";
import type { LogFiles } from "./logs/log-files.js";
import { createInstruments } from "./metrics/instruments.js";
import { createNodeAgent } from "./node/node-agent.js";
import { createObjectSource } from "./objects/object-source.js";
import { type KubeletFlags, resolveOptions } from "./options.js";
import type { VolumeManager } from "./parts.js";
import { createCrashBackoff } from "./pods/crash-backoff.js";
import { createPleg, type Pleg } from "./pods/pleg.js";
import type { PodContext, SandboxNetwork } from "./pods/pod-context.js";
import { podEvents } from "./pods/pod-events.js";
import type { PodFiles } from "./pods/pod-files.js";
import { createPodManager } from "./pods/pod-manager.js";
import { createProber } from "./prober/prober.js";
import { createStatusManager } from "./status/status-manager.js";

export interface HollowNodeOptions {
  readonly name: string;
  /** "10.101.7": pods get the addresses below it. */
  readonly subnet: string;
  /** All that its pods may run. */
  readonly images: readonly string[];
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs until the signal aborts. */
export async function runHollowNode(options: HollowNodeOptions, signal: AbortSignal): Promise<void> {
  const { name, subnet, client, clock, logger } = options;
  const argv = ["--kubeconfig=none", `--hostname-override=${name}`, `--node-ip=${subnet}.254`];
  const { values } = parseFlags("kubelet", flags, argv);
  const hostIp = async () => `${subnet}.254`;
  const given = values as unknown as KubeletFlags;
  const { settings } = await resolveOptions(given, { changed: new Set(["hostname-override"]), logger, hostIp });
  const runtime = createMemoryRuntime({ clock, images: options.images });
  const informers = createInformerFactory({ client, logger, clock });
  const podInformer = informers.for(pods, { fieldSelector: `spec.nodeName=${name}` });
  const nodeInformer = informers.for(nodes, { fieldSelector: `metadata.name=${name}` });
  const recorder = createEventRecorder({ client, component: "kubelet", host: name, clock, logger });
  const events = podEvents(recorder);
  const objects = createObjectSource({
    client,
    services: informers.for(services),
    node: () => nodeInformer.get(name),
    clock,
    logger,
  });
  let context: PodContext | undefined;
  let pleg: Pleg | undefined;
  const manager = createPodManager({
    context: () => context!,
    informer: podInformer,
    pleg: () => pleg!,
    refusalOf: () => undefined,
    ready: (ending) => informers.waitForSync(ending),
    clock,
  });
  pleg = createPleg({ runtime, onChange: (uid) => manager.runtimeChanged(uid), clock, logger });
  const prober = createProber({ runtime, lookup: manager, events: recorder, clock });
  const statuses = createStatusManager({ client, clock, logger });
  context = {
    settings,
    runtime,
    network: hollowNetwork(subnet),
    images: createImageManager({
      runtime,
      events,
      clock,
      secret: (namespace, secret) => objects.secret(namespace, secret),
      parallelPulls: Number.POSITIVE_INFINITY,
      useLocallyBuiltImages: true,
    }),
    volumes: hollowVolumes,
    environment: async () => [],
    objects,
    prober,
    statuses,
    events,
    instruments: createInstruments(createMetrics({ withProcess: false }), clock),
    files: hollowFiles,
    logs: hollowLogs,
    runtimeHandlerOf: async () => undefined,
    backoff: createCrashBackoff(clock),
    allocations: hollowAllocations,
    otherPods: (uid) => manager.otherPods(uid),
    cgroups: undefined,
    memoryCapacityBytes: 2 ** 33,
    recursiveReadOnlyMounts: false,
    clock,
    logger,
    states: new Map(),
  };
  const health = { problems: () => pleg.problems(), networkProblems: () => [] };
  const agent = createNodeAgent({
    settings,
    client,
    runtime,
    health,
    pressures: () => [],
    events: recorder,
    clock,
    logger,
  });
  informers.start(signal);
  const parts = [agent, statuses, objects, pleg, manager].map((part) => part.run(signal));
  await Promise.all(parts).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function hollowNetwork(subnet: string): SandboxNetwork {
  const addresses = new Map<string, string>();
  const free = Array.from({ length: 250 }, (_, index) => `${subnet}.${index + 1}`);
  return {
    async reserve(owner) {
      const address = addresses.get(owner) ?? free.shift();
      if (!address) throw new Error("no address is free");
      addresses.set(owner, address);
      return address;
    },
    addressOf: (owner) => addresses.get(owner),
    attach: async (owner) => [addresses.get(owner)!],
    async detach(owner) {
      const address = addresses.get(owner);
      if (addresses.delete(owner)) free.push(address!);
    },
    owners: () => [...addresses.keys()],
    problems: () => [],
  };
}

const hollowAllocations: AllocatedPods = {
  has: () => true,
  apply: (pod) => pod,
  set() {},
  remove() {},
  keepOnly() {},
};

const hollowVolumes: VolumeManager = {
  prepare: async () => ({ mountsFor: async () => [] }),
  update() {},
  release: async () => {},
  podsOnDisk: async () => [],
  run: async () => {},
};

const hollowFiles: PodFiles = { write: () => [], mountsFor: () => [], remove() {} };

const hollowLogs: LogFiles = { observe() {}, remove: async () => {}, close: async () => {} };
