// The objects that a cluster has before anyone made one: namespaces, roles, priority classes, flow control, APIServices,
// the kubernetes Service. Runs at each start, before the server says it is ready, and repeats nothing that stands.

import { configmaps, namespaces } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { priorityclasses } from "@picokube/api/scheduling/v1";
import type { Logger } from "@picokube/component-base/logger";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { bootstrapApiServices } from "./api-services.js";
import { ensure } from "./ensure.js";
import { bootstrapFlowControl } from "./flow-control.js";
import { bootstrapKubernetesService, type KubernetesServiceOptions } from "./kubernetes-service.js";
import { bootstrapRbac } from "./rbac.js";

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
const PRIORITY_CLASSES = [
  {
    name: "system-node-critical",
    value: 2000001000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2000000000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

export interface BootstrapOptions extends KubernetesServiceOptions {
  /** PEM of --client-ca-file; extension servers read it to know our client certificates. */
  readonly clientCa?: string;
  readonly requestheaderClientCa?: string;
  readonly requestheaderAllowedNames?: readonly string[];
  readonly requestheaderUsernameHeaders?: readonly string[];
  readonly requestheaderGroupHeaders?: readonly string[];
  readonly requestheaderExtraHeadersPrefix?: readonly string[];
}

/** What delegated authentication needs to know of this server. */
function authenticationData(options: BootstrapOptions): { [key: string]: string } {
  const list = (values: readonly string[] | undefined, otherwise: readonly string[]) =>
    JSON.stringify(values ?? otherwise);
  return {
    ...(options.clientCa ? { "client-ca-file": options.clientCa } : {}),
    ...(options.requestheaderClientCa
      ? {
          "requestheader-client-ca-file": options.requestheaderClientCa,
          "requestheader-allowed-names": list(options.requestheaderAllowedNames, []),
          "requestheader-username-headers": list(options.requestheaderUsernameHeaders, ["X-Remote-User"]),
          "requestheader-group-headers": list(options.requestheaderGroupHeaders, ["X-Remote-Group"]),
          "requestheader-extra-headers-prefix": list(options.requestheaderExtraHeadersPrefix, ["X-Remote-Extra-"]),
        }
      : {}),
  };
}

async function bootstrapAuthenticationConfig(storage: StorageRegistry, options: BootstrapOptions): Promise<void> {
  const name = "extension-apiserver-authentication";
  const data = authenticationData(options);
  const existing = await ensure(storage, configmaps, { metadata: { name, namespace: "kube-system" }, data });
  if (semanticDeepEqual(existing.data ?? {}, data)) return;
  await storage.for(configmaps).update("kube-system", name, (object) => {
    object.data = { ...object.data, ...data };
  });
}

/** Makes what is absent and repairs what must be right; idempotent. Rejects when storage does. */
export async function runBootstrap({
  storage,
  options,
  logger,
}: {
  storage: StorageRegistry;
  options: BootstrapOptions;
  logger: Logger;
}): Promise<void> {
  await Promise.all(NAMESPACES.map((name) => ensure(storage, namespaces, { metadata: { name } })));
  await Promise.all([
    bootstrapRbac(storage),
    bootstrapApiServices(storage),
    bootstrapFlowControl(storage),
    bootstrapKubernetesService(storage, options),
    bootstrapAuthenticationConfig(storage, options),
    ...PRIORITY_CLASSES.map(({ name, value, description }) =>
      ensure(storage, priorityclasses, {
        metadata: { name },
        value,
        description,
        preemptionPolicy: "PreemptLowerPriority",
      }),
    ),
  ]);
  logger.v(2).info("Cluster's first objects are in place");
}
