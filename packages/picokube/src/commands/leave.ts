// `picokube leave`: takes this machine out of the cluster that it joined, in order, and every trace of the cluster off it.

import { existsSync } from "node:fs";
import { nodes } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { ConfigError } from "@picokube/component-base/config-error";
import { type Cluster, pathsOf, requireCluster } from "../cluster/cluster.js";
import { kubeletKubeconfig } from "../cluster/components.js";
import { requireRoot } from "../cluster/preflight.js";
import { DrainError, drain } from "../join/drain.js";
import { parseEndpoint } from "../join/endpoint.js";
import { requireApiServer } from "../steps/worker.js";
import { stopSupervised } from "../supervisor/stop-supervised.js";
import { reset } from "./reset.js";

export interface LeaveFlags {
  readonly dataDir: string;
  /** Milliseconds that pods have to go. */
  readonly timeout: number;
  readonly force: boolean;
}

/** Throws ConfigError when pods hold it up or the cluster does not answer, and with `force` goes all the same. */
export async function leave({ dataDir, timeout, force }: LeaveFlags): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  if (!cluster.joined)
    throw new ConfigError(`this machine did not join a cluster, it has one of its own: picokube reset removes that`);
  await sayGoodbye(cluster, { timeoutMs: timeout, force });
  await reset(dataDir);
}

async function sayGoodbye(
  cluster: Cluster,
  { timeoutMs, force }: { timeoutMs: number; force: boolean },
): Promise<void> {
  const { nodeName } = cluster;
  const { server } = cluster.joined!;
  try {
    const path = kubeletKubeconfig(cluster);
    if (!existsSync(path)) throw new Error("its kubelet never had a certificate");
    await requireApiServer(cluster, parseEndpoint(server));
    const client = createClient({ kubeconfig: loadKubeconfig(path), userAgent: "picokube" });
    try {
      console.log(`Draining ${nodeName}.`);
      await drain({ client, nodeName, timeoutMs, force });
      // A running kubelet would make its Node again.
      await stopSupervised(pathsOf(cluster).processes);
      await client.delete(nodes, { name: nodeName }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      console.log(`The Node ${nodeName} is deleted.`);
    } finally {
      await client.close();
    }
  } catch (error) {
    if (error instanceof DrainError) throw error;
    const words = `the cluster at ${server} could not be told (${(error as Error).message})`;
    if (!force)
      throw new ConfigError(`${words}: picokube leave --force cleans this machine all the same`, { cause: error });
    console.log(`${words}; on the first machine: kubectl delete node ${nodeName}`);
  }
}
