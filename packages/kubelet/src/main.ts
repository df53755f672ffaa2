// kubelet: parses flags and configuration, then runs until a signal, or cleans up.

import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { cniNetworkOf } from "./assemble.js";
import { clientCredentials } from "./certificates/kubelet-certificates.js";
import { cleanup } from "./cleanup.js";
import { createDockerRuntime } from "./cri/docker/docker-runtime.js";
import { flags } from "./flags.js";
import { createLogFiles } from "./logs/log-files.js";
import { hostAddress } from "./node/machine.js";
import { resolveOptions } from "./options.js";
import { runKubelet } from "./run-kubelet.js";

async function hostIp(): Promise<string> {
  const address = await hostAddress();
  if (address === undefined) throw new ConfigError("this host has no address to be found; give one with --node-ip");
  return address;
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
        chainPrefix: settings.chainPrefix,
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
      await runKubelet({ options, client, informers, runtime, clock, logger }, signal);
    } finally {
      await client.close();
    }
  },
});
