// kube-controller-manager: reads flags, takes the lease, runs the controllers.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { createEventRecorder } from "@picokube/client/event-recorder";
import { inClusterConfig, type Kubeconfig, loadKubeconfig } from "@picokube/client/kubeconfig";
import { runWithLeaderElection } from "@picokube/client/leader-election";
import { createClient } from "@picokube/client/rest-client";
import { runController } from "@picokube/client/run-controller";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { createWorkQueueMetrics } from "@picokube/client/workqueue-metrics";
import { type CommandContext, runCommand } from "@picokube/component-base/flags";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { version } from "@picokube/component-base/version";
import { selectControllers } from "./controllers.js";
import type { Dependencies } from "./dependencies.js";
import { type ControllerManagerValues, flags } from "./options.js";
import { asServiceAccount } from "./service-account-client.js";
import { startServing } from "./serving.js";
import { validateOptions } from "./validate-options.js";

const agent = `kube-controller-manager/${version.gitVersion} (${version.platform}) kubernetes`;

/** How long requests under way may take once the process is told to end. */
const shutdownGraceMs = 2_000;

async function run(options: ControllerManagerValues, context: CommandContext): Promise<void> {
  const { logger, clock, signal } = context;
  validateOptions(options);
  const entries = selectControllers(options.controllers);
  const kubeconfig: Kubeconfig = options.kubeconfig ? loadKubeconfig(options.kubeconfig) : inClusterConfig();
  const metrics = createMetrics();
  const clientMetrics = createClientMetrics(metrics);
  const queueMetrics = createWorkQueueMetrics(metrics);
  const client = createClient({ kubeconfig, userAgent: agent, clock, metrics: clientMetrics });
  const server = await startServing({
    options,
    client,
    clock,
    logger,
    metrics,
    checks: [{ name: "leaderElection", check() {} }],
  });
  await sdNotify("ready");

  async function work(working: AbortSignal): Promise<void> {
    const informers = createInformerFactory({ client, logger, clock });
    const ownClients: { close(): Promise<void> }[] = [];
    const running = entries.flatMap((entry) => {
      const { name, serviceAccount, create, requests = { qps: 1, burst: 1 } } = entry;
      const actsAsAccount = options.useServiceAccountCredentials && serviceAccount !== undefined;
      const own = actsAsAccount ? asServiceAccount({ kubeconfig, client, name: serviceAccount, clock }) : kubeconfig;
      const userAgent = actsAsAccount
        ? `${agent}/system:serviceaccount:kube-system:${serviceAccount}`
        : `${agent}/${name}`;
      const limits = { qps: options.kubeApiQps * requests.qps, burst: options.kubeApiBurst * requests.burst };
      const ownClient = createClient({ kubeconfig: own, userAgent, clock, metrics: clientMetrics, ...limits });
      ownClients.push(ownClient);
      const dependencies: Dependencies = {
        client: ownClient,
        informers,
        clock,
        logger: logger.with({ controller: name }),
        metrics,
        options,
        recorder: (component) => createEventRecorder({ client: ownClient, component, clock, logger }),
      };
      const controller = create(dependencies);
      return controller ? [{ controller, workers: entry.workers(options), queue: entry.queue }] : [];
    });
    logger.info("Starting controllers", { controllers: running.map(({ controller }) => controller.name) });
    informers.start(working);
    // What waits for a server that is away would hold the process up: it has a moment to end by itself.
    const hurry = () =>
      void clock.sleep(shutdownGraceMs).then(() => Promise.all(ownClients.map((ownClient) => ownClient.close())));
    working.addEventListener("abort", hurry, { once: true });
    await Promise.all(
      running.map(({ controller, workers, queue }) =>
        runController(controller, {
          workers,
          logger,
          clock,
          signal: working,
          metrics: { registry: queueMetrics, name: queue },
        }),
      ),
    );
  }

  const recorder = createEventRecorder({ client, component: "kube-controller-manager", clock, logger });
  try {
    if (options.leaderElect)
      await runWithLeaderElection({
        client,
        lease: { namespace: options.leaderElectResourceNamespace, name: options.leaderElectResourceName },
        identity: `${hostname()}_${randomUUID()}`,
        clock,
        logger,
        signal,
        recorder,
        metrics,
        run: work,
        leaseDurationMs: options.leaderElectLeaseDuration,
        renewDeadlineMs: options.leaderElectRenewDeadline,
        retryPeriodMs: options.leaderElectRetryPeriod,
      });
    else await work(signal);
  } finally {
    await sdNotify("stopping");
    await server?.close();
    await client.close();
  }
}

await runCommand({
  name: "kube-controller-manager",
  description:
    "The Kubernetes controller manager is a daemon that embeds the core control loops shipped with Kubernetes. A control loop watches the shared state of the cluster through the apiserver and makes changes attempting to move the current state towards the desired state.",
  flags,
  run,
});
