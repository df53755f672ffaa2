// Gives each Namespace its ServiceAccount "default".
// Watches: Namespaces, ServiceAccounts. Writes: ServiceAccounts.

import { namespaces, serviceaccounts } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { isNamespaceTerminating } from "../pod-control.js";

const name = "default";

/** Upstream's serviceaccount-controller. */
export function serviceAccountController({ client, informers }: Dependencies): Controller {
  const namespaceInformer = informers.for(namespaces);
  const accountInformer = informers.for(serviceaccounts);

  async function reconcile(namespace: ObjectKey) {
    const phase = namespaceInformer.get(namespace)?.status?.phase;
    if (!namespaceInformer.get(namespace) || phase === "Terminating") return;
    if (accountInformer.get(`${namespace}/${name}`)) return;
    try {
      await client.create(serviceaccounts, { metadata: { name, namespace } });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
  }

  return {
    name: "serviceaccount-controller",
    watches: [
      self(namespaceInformer),
      mapped(accountInformer, ({ metadata }) => (metadata.name === name ? [metadata.namespace!] : [])),
    ],
    reconcile,
  };
}
