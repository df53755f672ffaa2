// kubelet: parses flags and configuration, makes each part, connects them, and runs them until a signal. The only file
// that knows all parts.

import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { nodes, pods, services } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { createDelegatedAuth } from "@picokube/client/delegated-auth";
import { createEventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { startHealthServer } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { openAllocatedPods } from "./allocation/allocated-pods.js";
import {
  clientCertificateManager,
  clientCredentials,
  exitWithoutCertificate,
  servingCertificateManager,
} from "./certificates/kubelet-certificates.js";
import { enforceNodeAllocatable, podsLimits } from "./cgroups/node-allocatable.js";
import { cleanup } from "./cleanup.js";
import { createDockerRuntime } from "./cri/docker/docker-runtime.js";
import type { Runtime } from "./cri/runtime.js";
import { containerEnvironment } from "./env/container-environment.js";
import type { EvictionManager } from "./eviction/eviction-manager.js";
import { createNodePressure } from "./eviction/node-pressure.js";
import { flags } from "./flags.js";
import { createImageManager } from "./images/image-manager.js";
import { createLogFiles } from "./logs/log-files.js";
import { type CniNetwork, createCniNetwork } from "./network/cni/cni-network.js";
import { createPodNetwork } from "./network/pod-network.js";
import { tunnelOverheadBytes } from "./network/routes-plan.js";
import { runPodNetwork } from "./network/run-pod-network.js";
import { createPodRoutes } from "./network/run-pod-routes.js";
import { chooseSandboxNetwork } from "./network/sandbox-network.js";
import { hasAppArmor, hostAddress } from "./node/machine.js";
import { createNodeAgent } from "./node/node-agent.js";
import { createNodeShutdown, type NodeShutdown } from "./nodeshutdown/node-shutdown.js";
import { createObjectSource } from "./objects/object-source.js";
import { type KubeletOptions, resolveOptions } from "./options.js";
import type { KubeletSettings, RuntimeHealth } from "./parts.js";
import { createCrashBackoff } from "./pods/crash-backoff.js";
import { hostRefusalOf } from "./pods/host-admission.js";
import { createPleg, type Pleg } from "./pods/pleg.js";
import type { PodContext } from "./pods/pod-context.js";
import { podEvents } from "./pods/pod-events.js";
import { createPodFiles } from "./pods/pod-files.js";
import { createPodManager } from "./pods/pod-manager.js";
import { runtimeHandlerFrom } from "./pods/runtime-class.js";
import { createProbeMetrics } from "./prober/probe-metrics.js";
import { createProber } from "./prober/prober.js";
import { registerKubeletMetrics } from "./server/kubelet-metrics.js";
import { createServer } from "./server/server.js";
import { kubeletTls } from "./server/serving-tls.js";
import { fileSource } from "./static-pods/file-source.js";
import { createMirrorPods } from "./static-pods/mirror-pods.js";
import { runStaticPods, type StaticPodSource } from "./static-pods/static-pods.js";
import { urlSource } from "./static-pods/url-source.js";
import { createStatusManager } from "./status/status-manager.js";
import { localPathDirectoryOf, runLocalPathAgent } from "./volumes/local-path-agent.js";
import { createVolumeManager } from "./volumes/volume-manager.js";

const networkPatienceMs = 2_000;

async function hostIp(): Promise<string> {
  const address = await hostAddress();
  if (address === undefined) throw new ConfigError("this host has no address to be found; give one with --node-ip");
  return address;
}

interface Surroundings {
  readonly options: KubeletOptions;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
}

function cniNetworkOf({ cniConfDir, cniBinDirs, rootDir }: KubeletSettings, logger: Logger): CniNetwork {
  return createCniNetwork({
    confDir: cniConfDir,
    binDirs: cniBinDirs,
    directory: join(rootDir, "network", "cni"),
    logger,
  });
}

/** Every part of the kubelet, connected but not running. */
async function assemble({ options, client, informers, runtime, clock, logger }: Surroundings) {
  const { settings } = options;
  const podInformer = informers.for(pods, { fieldSelector: `spec.nodeName=${settings.nodeName}` });
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
  pleg = createPleg({ runtime, onChange: (uid) => manager.wake(uid), clock, logger });
  const probes = createProbeMetrics();
  const prober = createProber({ runtime, lookup: manager, events: recorder, clock, metrics: probes });
  prober.onResult(({ podUid }) => manager.wake(podUid));
  const statuses = createStatusManager({ client, clock, logger });
  const environment = { objects, nodeName: settings.nodeName, hostIps: settings.nodeIps };
  const volumes = createVolumeManager({
    rootDir: settings.rootDir,
    objects,
    client,
    clock,
    logger,
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
    images,
    volumes,
    environment: containerEnvironment,
    objects,
    prober,
    statuses,
    events,
    files: createPodFiles(settings),
    runtimeHandlerOf: runtimeHandlerFrom(client),
    logs,
    backoff: createCrashBackoff(clock),
    allocations: openAllocatedPods({ path: join(settings.rootDir, "allocated_pods_state"), logger }),
    otherPods: (uid) => manager.otherPods(uid),
    cgroups: settings.cgroupsPerQos ? { driver, root: settings.cgroupRoot } : undefined,
    memoryCapacityBytes: totalmem(),
    clock,
    logger,
    states: new Map(),
  };
  const health: RuntimeHealth = { problems: () => pleg.problems(), networkProblems: () => network.problems() };
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
    manager,
    probeMetrics: probes.metrics,
    podInformer,
    logs,
    ...nodePressure,
    shutdown,
    pleg,
    statuses,
    volumes,
    objects,
    network,
    routes,
    peerInformers,
    health,
    agent,
    node,
    nodeInformer,
  };
}

/** Waits for an engine that is still starting; says once that it does. */
async function waitForEngine({ runtime, clock, logger }: Surroundings, signal: AbortSignal): Promise<void> {
  let told = false;
  while (!signal.aborted) {
    try {
      const version = await runtime.version();
      logger.info("Container runtime initialized", { ...version });
      return;
    } catch (err) {
      if (!told) logger.error("The container runtime does not answer, waiting for it", { err });
      told = true;
      await clock.sleep(1_000, signal).catch(() => undefined);
    }
  }
}

async function run(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  const { options, client, informers, runtime, clock, logger } = surroundings;
  const { settings } = options;
  await waitForEngine(surroundings, signal);
  if (signal.aborted) return;
  const parts = await assemble(surroundings);
  const metrics = createMetrics();
  registerKubeletMetrics(metrics, { nodeName: settings.nodeName, lookup: parts.manager });
  const addresses = () => parts.node()?.status?.addresses ?? [];
  const serving = servingCertificateManager(surroundings, { client, metrics, addresses });
  const identity = clientCertificateManager(surroundings, { client, metrics });
  const syncLoop = {
    name: "syncloop",
    check: () => {
      const problems = parts.health.problems();
      if (problems.length > 0) throw new Error(problems.join(", "));
    },
  };
  // The logger holds nothing back that could get stuck.
  const checks = [{ name: "log", check: () => {} }, syncLoop];
  const auth = createDelegatedAuth({
    client,
    clock,
    anonymous: settings.anonymousAuth,
    tokenTtlMs: 120_000,
    authorizedTtlMs: 300_000,
    unauthorizedTtlMs: 30_000,
  });
  const server = createServer({
    settings,
    lookup: parts.manager,
    runtime,
    auth,
    tls: await kubeletTls(settings, { manager: serving, clock, logger }),
    metrics,
    probeMetrics: parts.probeMetrics,
    checks,
    clock,
    logger,
  });
  const healthz =
    settings.healthzPort === 0
      ? undefined
      : await startHealthServer({
          address: settings.healthzBindAddress,
          port: settings.healthzPort,
          checks,
        });
  const mirrors = createMirrorPods({ client, informer: parts.podInformer, node: parts.node });
  const follow = (source: StaticPodSource, periodMs: number) =>
    runStaticPods(
      {
        source,
        mirrors,
        nodeName: settings.nodeName,
        periodMs,
        onPod: (uid, pod) => parts.manager.setStatic(uid, pod),
        clock,
        logger,
      },
      signal,
    );
  const { staticPodPath, staticPodUrl, staticPodUrlHeader: headers } = settings;
  const staticPods = [
    ...(staticPodPath ? [follow(fileSource(staticPodPath, { logger }), settings.fileCheckFrequencyMs)] : []),
    ...(staticPodUrl ? [follow(urlSource(staticPodUrl, { headers, logger }), settings.httpCheckFrequencyMs)] : []),
  ];
  const running = [
    server.run(signal),
    parts.agent.run(signal),
    parts.statuses.run(signal),
    parts.volumes.run(signal),
    parts.objects.run(signal),
    parts.pleg.run(signal),
    parts.manager.run(signal),
    parts.eviction.run(signal),
    parts.imageGc.run(signal),
    runLocalPathAgent(
      {
        root: localPathDirectoryOf(settings.rootDir),
        nodeName: settings.nodeName,
        client,
        informer: parts.nodeInformer,
        clock,
        logger,
      },
      signal,
    ),
    parts.routes.run(signal),
    runPodNetwork(parts, { podCidr: settings.podCidr, clock, logger }, signal),
    ...staticPods,
    ...(serving ? [serving.run(signal)] : []),
    ...(identity ? [identity.run(signal), exitWithoutCertificate(identity, clock, signal)] : []),
  ];
  informers.start(signal);
  parts.peerInformers.start(signal);
  const powerFails = () => void parts.shutdown.shutDown(signal);
  process.on("SIGPWR", powerFails);
  await sdNotify("ready");
  await Promise.all(running.map((part) => untilStopped(part, signal)));
  process.off("SIGPWR", powerFails);
  await healthz?.close();
  await parts.logs.close();
}

/** A part's failure is the kubelet's, unless it is being stopped. */
async function untilStopped(part: Promise<void>, signal: AbortSignal): Promise<void> {
  await part.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

await runCommand({
  name: "kubelet",
  description:
    "The kubelet is the primary node agent that runs on each node. It registers the node with the apiserver, and makes sure that the containers described in the node's pods are running and healthy, on the Docker Engine.",
  flags,
  async run(values, { logger, signal, clock, changed }) {
    const options = await resolveOptions(values, { changed, logger, hostIp });
    const { settings } = options;
    const runtime = createDockerRuntime({
      endpoint: settings.dockerEndpoint,
      scope: settings.rootDir,
      logLimits: { maxSizeBytes: settings.containerLogMaxSizeBytes, maxFiles: settings.containerLogMaxFiles },
    });
    if (options.cleanup) {
      const driver = settings.cgroupDriver ?? (await runtime.cgroupDriver());
      const cgroups = { driver, root: settings.cgroupRoot };
      return cleanup({
        runtime,
        rootDir: settings.rootDir,
        bridge: settings.podBridge,
        cgroups,
        logs: createLogFiles({
          podLogsDir: settings.podLogsDir,
          policy: { maxSizeBytes: -1, maxFiles: 2 },
          clock,
          logger,
        }),
        cni: cniNetworkOf(settings, logger),
      });
    }
    const kubeconfig = await clientCredentials({ options, clock, logger }, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (!kubeconfig) return;
    const client = createClient({ kubeconfig, userAgent: "kubelet/v1.33.0" });
    const informers = createInformerFactory({ client, logger, clock });
    try {
      await run({ options, client, informers, runtime, clock, logger }, signal);
    } finally {
      await client.close();
    }
  },
});
