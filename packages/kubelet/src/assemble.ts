// Makes every part of the kubelet and connects them. The only file that knows all parts; runs none of them.

import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { nodes, pods, services } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { createEventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import { createInformerFactory } from "@picokube/client/shared-informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import { openAllocatedPods } from "./allocation/allocated-pods.js";
import { enforceNodeAllocatable, podsLimits } from "./cgroups/node-allocatable.js";
import { withRequestTimeout } from "./cri/request-timeout.js";
import type { Runtime } from "./cri/runtime.js";
import { containerEnvironment } from "./env/container-environment.js";
import type { EvictionManager } from "./eviction/eviction-manager.js";
import { createNodePressure } from "./eviction/node-pressure.js";
import { createImageManager } from "./images/image-manager.js";
import { createLogFiles } from "./logs/log-files.js";
import { createInstruments } from "./metrics/instruments.js";
import { measuredRuntime } from "./metrics/measured-runtime.js";
import { createPodStartLatency } from "./metrics/pod-start-latency.js";
import { type CniNetwork, createCniNetwork } from "./network/cni/cni-network.js";
import { createPodNetwork } from "./network/pod-network.js";
import { tunnelOverheadBytes } from "./network/routes-plan.js";
import { createAnnouncedAddresses } from "./network/run-announced-addresses.js";
import { createPodRoutes } from "./network/run-pod-routes.js";
import { chooseSandboxNetwork } from "./network/sandbox-network.js";
import { hasAppArmor } from "./node/machine.js";
import { createNodeAgent } from "./node/node-agent.js";
import { createNodeShutdown, type NodeShutdown } from "./nodeshutdown/node-shutdown.js";
import { createObjectSource } from "./objects/object-source.js";
import type { KubeletOptions } from "./options.js";
import type { KubeletSettings, RuntimeHealth } from "./parts.js";
import { createCrashBackoff } from "./pods/crash-backoff.js";
import { hostRefusalOf } from "./pods/host-admission.js";
import { createPleg, type Pleg } from "./pods/pleg.js";
import type { PodContext } from "./pods/pod-context.js";
import { podEvents } from "./pods/pod-events.js";
import { createPodFiles } from "./pods/pod-files.js";
import { createPodManager } from "./pods/pod-manager.js";
import { runtimeHandlerFrom } from "./pods/runtime-class.js";
import { createRuntimeSync } from "./pods/runtime-sync.js";
import { createProbeMetrics } from "./prober/probe-metrics.js";
import { createProber } from "./prober/prober.js";
import { createStatusManager } from "./status/status-manager.js";
import { createVolumeManager } from "./volumes/volume-manager.js";

const networkPatienceMs = 2_000;

/** What every part stands in. */
export interface Surroundings {
  readonly options: KubeletOptions;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Real CNI plugins, as far as a configuration names some. */
export function cniNetworkOf({ cniConfDir, cniBinDirs, rootDir }: KubeletSettings, logger: Logger): CniNetwork {
  return createCniNetwork({
    confDir: cniConfDir,
    binDirs: cniBinDirs,
    directory: join(rootDir, "network", "cni"),
    logger,
  });
}

/** Every part of the kubelet, connected but not running. */
export async function assemble(surroundings: Surroundings, metrics: Metrics) {
  const { options, client, informers, clock, logger } = surroundings;
  const { settings } = options;
  const patience = { timeoutMs: settings.runtimeRequestTimeoutMs, clock };
  const runtime = measuredRuntime(withRequestTimeout(surroundings.runtime, patience), metrics, clock);
  const instruments = createInstruments(metrics, clock);
  const latency = createPodStartLatency(metrics, clock);
  const podInformer = informers.for(pods, { fieldSelector: `spec.nodeName=${settings.nodeName}` });
  podInformer.addHandler({
    add: (pod) => latency.observe(pod),
    update: (_, pod) => latency.observe(pod),
    delete: ({ metadata }) => latency.forget(metadata.uid),
  });
  const nodeInformer = informers.for(nodes, { fieldSelector: `metadata.name=${settings.nodeName}` });
  const node = () => nodeInformer.get(settings.nodeName);
  const recorder = createEventRecorder({ client, component: "kubelet", host: settings.nodeName, clock, logger });
  const events = podEvents(recorder);
  const objects = createObjectSource({ client, services: informers.for(services), node, clock, logger });
  // Of its own: no pod waits for Nodes that this kubelet may not be let to see.
  const peerInformers = createInformerFactory({ client, logger, clock });
  const routes = createPodRoutes({
    informer: peerInformers.for(nodes),
    nodeName: settings.nodeName,
    address: settings.nodeIps[0]!,
    podCidr: () => settings.podCidr ?? node()?.spec?.podCIDR,
    backend: options.podNetworkBackend,
    bridge: settings.podBridge,
    clusterCidr: options.clusterCidr,
    directory: join(settings.rootDir, "network"),
    clock,
    logger,
  });
  const announced = createAnnouncedAddresses({
    informer: informers.for(services),
    nodeName: settings.nodeName,
    bridge: settings.podBridge,
    clock,
    logger,
  });
  const builtIn = createPodNetwork({
    bridge: settings.podBridge,
    clusterCidr: options.clusterCidr,
    overheadBytes: () => (routes.usesTunnel() ? tunnelOverheadBytes : 0),
    directory: join(settings.rootDir, "network"),
    logger,
  });
  const cni = cniNetworkOf(settings, logger);
  const network = chooseSandboxNetwork({ builtIn, cni });
  await network.choose();

  const { allowedUnsafeSysctls } = settings;
  const abilities = { kernelRelease: release(), appArmor: await hasAppArmor(), allowedUnsafeSysctls };

  // The prober and the PLEG look pods up in the manager; the manager's workers use the prober. Both sides are there
  // before anything runs.
  let context: PodContext | undefined;
  let pleg: Pleg | undefined;
  let eviction: EvictionManager | undefined;
  let shutdown: NodeShutdown | undefined;
  const manager = createPodManager({
    context: () => context!,
    informer: podInformer,
    pleg: () => pleg!,
    refusalOf: (pod) => hostRefusalOf(pod, abilities) ?? eviction!.refusalOf(pod) ?? shutdown!.refusal(),
    // Pods on the host's network need not wait for a pod CIDR that may never come.
    ready: async (signal) => {
      await informers.waitForSync(signal);
      await Promise.race([network.ready(signal), clock.sleep(networkPatienceMs, signal)]);
    },
    clock,
  });
  pleg = createPleg({
    runtime,
    onChange: (uid) => manager.runtimeChanged(uid),
    onRelist: (durationMs) => instruments.relisted(durationMs),
    clock,
    logger,
  });
  const probes = createProbeMetrics();
  const prober = createProber({ runtime, lookup: manager, events: recorder, clock, metrics: probes });
  prober.onResult(({ podUid }) => manager.wake(podUid));
  const statuses = createStatusManager({ client, clock, logger });
  const environment = { objects, nodeName: settings.nodeName, hostIps: settings.nodeIps };
  const recursiveReadOnlyMounts = await runtime.recursiveReadOnlyMounts();
  const volumes = createVolumeManager({
    rootDir: settings.rootDir,
    objects,
    client,
    clock,
    logger,
    recursiveReadOnlyMounts,
    environment: (pod, container) =>
      containerEnvironment(pod, container, {
        ...environment,
        podIps: manager.state(pod.metadata.uid)?.podIps ?? [],
      }),
  });
  const images = createImageManager({
    runtime,
    events,
    clock,
    secret: (namespace, name) => objects.secret(namespace, name),
    parallelPulls: settings.serializeImagePulls ? 1 : (settings.maxParallelImagePulls ?? Number.POSITIVE_INFINITY),
    useLocallyBuiltImages: options.useLocallyBuiltImages,
  });
  const logs = createLogFiles({
    podLogsDir: settings.podLogsDir,
    policy: { maxSizeBytes: settings.containerLogMaxSizeBytes, maxFiles: settings.containerLogMaxFiles },
    clock,
    logger,
  });
  const driver = settings.cgroupDriver ?? (await runtime.cgroupDriver());
  context = {
    settings,
    runtime,
    network,
    images: latency.measured(images),
    volumes,
    environment: containerEnvironment,
    objects,
    prober,
    statuses,
    events,
    instruments,
    files: createPodFiles(settings),
    runtimeHandlerOf: runtimeHandlerFrom(client),
    logs,
    backoff: createCrashBackoff(clock),
    allocations: openAllocatedPods({ path: join(settings.rootDir, "allocated_pods_state"), logger }),
    otherPods: (uid) => manager.otherPods(uid),
    cgroups: settings.cgroupsPerQos ? { driver, root: settings.cgroupRoot } : undefined,
    memoryCapacityBytes: totalmem(),
    recursiveReadOnlyMounts,
    clock,
    logger,
    states: new Map(),
  };
  const runtimeSync = createRuntimeSync({ runtime, clock });
  const problems = () => [...runtimeSync.problems(), ...pleg.problems()];
  const health: RuntimeHealth = { problems, networkProblems: () => network.problems() };
  if (context.cgroups && settings.enforceNodeAllocatable.includes("pods")) {
    const capacity = { cpuMillis: cpus().length * 1000, memoryBytes: totalmem() };
    enforceNodeAllocatable({
      tree: context.cgroups,
      limits: podsLimits(capacity, settings),
      settings,
      recorder,
      logger,
    });
  }
  const nodePressure = await createNodePressure({
    context,
    manager,
    recorder,
    keepLocallyBuiltImages: options.useLocallyBuiltImages,
  });
  eviction = nodePressure.eviction;
  const pressures = () => eviction.conditions();
  shutdown = createNodeShutdown({
    nodeName: settings.nodeName,
    periods: settings.shutdownPeriods,
    pods: manager,
    events: recorder,
    clock,
    logger,
  });
  const agent = createNodeAgent({
    settings,
    client,
    runtime,
    health: { ...health, problems: () => [...health.problems(), ...shutdown.problems()] },
    pressures,
    events: recorder,
    clock,
    logger,
  });
  return {
    runtime,
    manager,
    probeMetrics: probes.metrics,
    podInformer,
    logs,
    ...nodePressure,
    shutdown,
    pleg,
    runtimeSync,
    statuses,
    volumes,
    objects,
    network,
    routes,
    announced,
    peerInformers,
    health,
    agent,
    node,
    nodeInformer,
  };
}
