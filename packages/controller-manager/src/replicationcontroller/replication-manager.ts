// Keeps each ReplicationController's number of Pods at spec.replicas, by the loop of ReplicaSets.
// Watches: ReplicationControllers, Pods. Writes: Pods, ReplicationController status.

import { replicationcontrollers } from "@picokube/api/core/v1";
import { nothing, selectorFromSet } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import type { Dependencies } from "../dependencies.js";
import { replicasController } from "../replicaset/replicas-controller.js";

/** Upstream's replication manager: the replicaset-controller over an adapter. */
export function replicationManager(dependencies: Dependencies): Controller {
  return replicasController(dependencies, {
    name: "replicationcontroller-controller",
    component: "replication-controller",
    resource: replicationcontrollers,
    selectorOf: ({ spec }) => (spec?.selector ? selectorFromSet(spec.selector) : nothing),
  });
}
