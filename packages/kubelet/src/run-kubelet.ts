// Runs the parts of the kubelet, its servers and its static pods until a signal. Makes no part itself.

import { writeFile } from "node:fs/promises";
import { createDelegatedAuth } from "@picokube/client/delegated-auth";
import { startHealthServer } from "@picokube/component-base/health-server";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { assemble, type Surroundings } from "./assemble.js";
import {
  clientCertificateManager,
  exitWithoutCertificate,
  servingCertificateManager,
} from "./certificates/kubelet-certificates.js";
import { runPodNetwork } from "./network/run-pod-network.js";
import { runUtilChains } from "./network/util-chains.js";
import { refuseSwap } from "./node/swap.js";
import { runContainerGc } from "./pods/container-gc.js";
import { registerKubeletMetrics } from "./server/kubelet-metrics.js";
import { createServer } from "./server/server.js";
import { kubeletTls } from "./server/serving-tls.js";
import { fileSource } from "./static-pods/file-source.js";
import { createMirrorPods } from "./static-pods/mirror-pods.js";
import { runStaticPods, type StaticPodSource } from "./static-pods/static-pods.js";
import { urlSource } from "./static-pods/url-source.js";
import { localPathDirectoryOf, runLocalPathAgent } from "./volumes/local-path-agent.js";

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

/** So that the kernel takes others first when memory runs out. */
async function applyOomScore({ options, logger }: Surroundings): Promise<void> {
  const { oomScoreAdj } = options.settings;
  await writeFile("/proc/self/oom_score_adj", String(oomScoreAdj)).catch((err: unknown) =>
    logger.error("Failed to apply oom score adjustment", { oomScoreAdj, err }),
  );
}

/** Makes the parts, runs them until the signal, and ends them in order. */
export async function runKubelet(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  const { options, client, informers, runtime, clock, logger } = surroundings;
  const { settings } = options;
  if (settings.failSwapOn) await refuseSwap();
  await applyOomScore(surroundings);
  await waitForEngine(surroundings, signal);
  if (signal.aborted) return;
  const metrics = createMetrics();
  const parts = await assemble(surroundings, metrics);
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
    tokenTtlMs: settings.tokenTtlMs,
    authorizedTtlMs: settings.authorizedTtlMs,
    unauthorizedTtlMs: settings.unauthorizedTtlMs,
  });
  const server = createServer({
    settings,
    lookup: parts.manager,
    runtime: parts.runtime,
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
    ...(settings.enableServer ? [server.run(signal)] : []),
    parts.agent.run(signal),
    parts.statuses.run(signal),
    parts.volumes.run(signal),
    parts.objects.run(signal),
    parts.pleg.run(signal),
    parts.runtimeSync.run(signal),
    parts.manager.run(signal),
    parts.eviction.run(signal),
    parts.imageGc.run(signal),
    runContainerGc({ runtime, settings, clock, logger }, signal),
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
    parts.announced.run(signal),
    ...(settings.chainPrefix ? [runUtilChains({ prefix: settings.chainPrefix }, { clock, logger }, signal)] : []),
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
