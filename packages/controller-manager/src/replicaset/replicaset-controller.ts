// Keeps each ReplicaSet's number of Pods at spec.replicas.
// Watches: ReplicaSets, Pods. Writes: Pods, ReplicaSet status.

import { replicasets } from "@picokube/api/apps/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import type { Dependencies } from "../dependencies.js";
import { replicasController } from "./replicas-controller.js";

/** Upstream's replicaset-controller. */
export function replicaSetController(dependencies: Dependencies): Controller {
  return replicasController(dependencies, {
    name: "replicaset-controller",
    component: "replicaset-controller",
    resource: replicasets,
    selectorOf: ({ spec }) => selectorFromLabelSelector(spec?.selector),
  });
}
