// kube-scheduler: parses flags, wires queue, cache, plugins and binding to the API, serves health, elects a leader.

import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { createEventRecorder } from "@picokube/client/event-recorder";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { runWithLeaderElection } from "@picokube/client/leader-election";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { AttemptLog } from "./attempt-log.js";
import { readConfiguration } from "./configuration.js";
import { createLookups } from "./lookups.js";
import { flags, leaderElectionOf } from "./options.js";
import { createScheduler, type Profile } from "./scheduler.js";
import { createSchedulerMetrics } from "./scheduler-metrics.js";
import { serve } from "./serve.js";
import { createVolumeBinder } from "./volumes/volume-binder.js";

await runCommand({
  name: "kube-scheduler",
  description:
    "The Kubernetes scheduler is a control plane process which assigns Pods to Nodes. The scheduler determines which Nodes are valid placements for each Pod in the scheduling queue according to constraints and available resources. The scheduler then ranks each valid Node and binds the Pod to a suitable Node.",
  flags,
  async run(values, { logger, signal, clock, changed }) {
    const configuration = await readConfiguration(values.config);
    const kubeconfigPath = values.kubeconfig ?? configuration.kubeconfig;
    if (!kubeconfigPath) {
      throw new ConfigError("--kubeconfig, or clientConnection.kubeconfig in --config, is required");
    }
    const election = leaderElectionOf(configuration.leaderElection, values, changed);
    const qps = values.kubeApiQps ?? configuration.qps;
    const burst = values.kubeApiBurst ?? configuration.burst;
    const metrics = createMetrics();
    const clientMetrics = createClientMetrics(metrics);
    const client = createClient({
      kubeconfig: loadKubeconfig(kubeconfigPath),
      userAgent: "kube-scheduler",
      metrics: clientMetrics,
      ...(qps === undefined ? {} : { qps }),
      ...(burst === undefined ? {} : { burst }),
    });
    const authKubeconfig = values.authenticationKubeconfig ?? values.authorizationKubeconfig;
    const authClient = authKubeconfig
      ? createClient({
          kubeconfig: loadKubeconfig(authKubeconfig),
          userAgent: "kube-scheduler",
          metrics: clientMetrics,
        })
      : client;

    const informers = createInformerFactory({ client, logger, clock });
    const lookups = createLookups(informers, createVolumeBinder({ client, informers, clock }));
    const attempts = new AttemptLog();
    const profiles = new Map(
      configuration.profiles.map((profile): [string, Profile] => {
        const { schedulerName, percentageOfNodesToScore } = profile;
        const recorder = createEventRecorder({ client, component: schedulerName, clock, logger });
        return [
          schedulerName,
          { schedulerName, percentageOfNodesToScore, recorder, plugins: profile.plugins(lookups) },
        ];
      }),
    );
    const { initialBackoffMs, maxBackoffMs } = configuration;
    const scheduler = createScheduler({
      client,
      informers,
      profiles,
      initialBackoffMs,
      maxBackoffMs,
      attempts,
      metrics: createSchedulerMetrics(metrics),
      clock,
      logger,
    });

    let failed: unknown;
    const server = await serve({
      address: values.bindAddress,
      port: values.securePort,
      certFile: values.tlsCertFile,
      keyFile: values.tlsPrivateKeyFile,
      clientCaFile: values.clientCaFile,
      authClient,
      attempts,
      metrics,
      check: () => {
        if (failed !== undefined) throw failed;
      },
      clock,
      logger,
    });
    const run = async (leading: AbortSignal) => {
      // Every informer listens to it.
      setMaxListeners(0, leading);
      informers.start(leading);
      await scheduler.run(leading).catch((error: unknown) => {
        if (!leading.aborted) throw error;
      });
    };
    await sdNotify("ready");
    try {
      if (election.leaderElect) {
        const { resourceName: name, resourceNamespace: namespace, leaderElect: _, ...timings } = election;
        const identity = `${hostname()}_${randomUUID()}`;
        await runWithLeaderElection({
          client,
          lease: { name, namespace },
          identity,
          clock,
          logger,
          signal,
          metrics,
          run,
          ...timings,
        });
      } else await run(signal);
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      await server?.close();
      await client.close();
    }
  },
});
