// What a joining machine asks the cluster as its token's holder: whether its name is free, and the configurations. Changes
// nothing.

import { configmaps, nodes } from "@picokube/api/core/v1";
import { isForbidden, isNotFound, isUnauthorized } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { createClient } from "@picokube/client/rest-client";
import { ConfigError } from "@picokube/component-base/config-error";
import { type BootstrapToken, formatBootstrapToken } from "@picokube/pki/bootstrap-token";
import type { Discovered } from "./discovery.js";
import { bootstrapGroup, configMapNames } from "./names.js";
import type { ClusterConfigs } from "./worker-files.js";

const newToken = "make another on the first machine: picokube token create --print-join-command";

/** Throws ConfigError when the name is another machine's, or the token does not let a machine join. */
export async function askCluster(
  { server, ca }: Discovered,
  { token, nodeName }: { token: BootstrapToken; nodeName: string },
): Promise<ClusterConfigs> {
  const client = createClient({
    kubeconfig: { server, ca: { pem: ca }, token: formatBootstrapToken(token), namespace: "default" },
    userAgent: "picokube",
  });
  try {
    await requireFreeName(client, nodeName);
    const text = async ({ namespace, name, key }: { namespace: string; name: string; key: string }) => {
      const { data } = await client.get(configmaps, { namespace, name });
      if (data?.[key]) return data[key];
      throw new ConfigError(`the ConfigMap ${namespace}/${name} has no ${key}: run picokube up once more there`);
    };
    const [cluster, kubelet, proxy] = await Promise.all([
      text(configMapNames.cluster),
      text(configMapNames.kubelet),
      text(configMapNames.proxy),
    ]);
    return { cluster, kubelet, proxy };
  } catch (error) {
    throw explained(error, token);
  } finally {
    await client.close();
  }
}

async function requireFreeName(client: Client, name: string): Promise<void> {
  const node = await client.get(nodes, { name }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  // As kubeadm's check: one that is gone may come back under its name.
  if (node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
    throw new ConfigError(
      `a Node with name "${name}" and status "Ready" already exists in the cluster. You must delete the existing Node or change the name of this new joining Node (--node-name)`,
    );
}

function explained(error: unknown, { id }: BootstrapToken): unknown {
  if (isUnauthorized(error))
    return new ConfigError(
      `the API server does not take the token "${id}" for authentication: it has just expired or lacks that usage; ${newToken}`,
      { cause: error },
    );
  if (isForbidden(error))
    return new ConfigError(
      `the token "${id}" does not let a machine join (${(error as Error).message}): it is not of the group ${bootstrapGroup}; ${newToken}`,
      { cause: error },
    );
  if (isNotFound(error))
    return new ConfigError(
      `the cluster lacks what joining machines read (${(error as Error).message}): run picokube up once more there`,
      { cause: error },
    );
  return error;
}
