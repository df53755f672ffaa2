// The CLI's own way to the API server: as the administrator.

import type { Client } from "@picokube/client/client";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import type { Cluster } from "../cluster/cluster.js";

export function adminClient(cluster: Pick<Cluster, "adminKubeconfig">): Client {
  return createClient({ kubeconfig: loadKubeconfig(cluster.adminKubeconfig), userAgent: "picokube" });
}
