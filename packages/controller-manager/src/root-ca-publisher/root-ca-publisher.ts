// Publishes the cluster's CA in each Namespace as ConfigMap kube-root-ca.crt, for pods to trust the API server by.
// Watches: Namespaces, that ConfigMap. Writes: it.

import { readFileSync } from "node:fs";
import { configmaps, namespaces } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isAlreadyExists } from "@picokube/api/errors";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { isNamespaceTerminating } from "../pod-control.js";

const name = "kube-root-ca.crt";
const annotations = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};

/** Upstream's root-ca-certificate-publisher-controller; undefined without --root-ca-file. */
export function rootCaPublisher({ client, informers, options }: Dependencies): Controller | undefined {
  if (!options.rootCaFile) return undefined;
  const data = { "ca.crt": readFileSync(options.rootCaFile, "utf8") };
  const namespaceInformer = informers.for(namespaces);
  const configMapInformer = informers.for(configmaps, { fieldSelector: `metadata.name=${name}` });

  async function reconcile(namespace: ObjectKey) {
    const found = namespaceInformer.get(namespace);
    if (!found || found.status?.phase === "Terminating") return;
    const current = configMapInformer.get(`${namespace}/${name}`);
    try {
      if (!current) await client.create(configmaps, { metadata: { name, namespace, annotations }, data });
      else if (!semanticDeepEqual(current.data, data))
        await client.update(configmaps, {
          ...current,
          metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } },
          data,
        });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
  }

  return {
    name: "root-ca-certificate-publisher-controller",
    watches: [self(namespaceInformer), mapped(configMapInformer, ({ metadata }) => [metadata.namespace!])],
    reconcile,
  };
}
