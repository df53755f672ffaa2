// The CLI's own way to the API server: as the administrator.

import type { Client } from "@picokube/client/client";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Cluster } from "../cluster/cluster.js";

/** Throws ConfigError on a joined machine, which has no administrator's credentials. */
export function adminClient(cluster: Pick<Cluster, "adminKubeconfig" | "joined">): Client {
  if (cluster.joined)
    throw new ConfigError(
      `this machine joined the cluster at ${cluster.joined.server} and is not its administrator: run this on the first machine`,
    );
  return createClient({ kubeconfig: loadKubeconfig(cluster.adminKubeconfig), userAgent: "picokube" });
}
