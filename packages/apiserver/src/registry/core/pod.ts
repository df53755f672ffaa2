// Pods: the kind's declaration. What a valid pod is stands in pod-validation.ts, its table cells in pod-status.ts.

import { setPodDefaults, setServiceAccount } from "@picokube/api/core/pod-defaults";
import { type Pod, type PodSpec, pods } from "@picokube/api/core/v1";
import { qosClass } from "@picokube/api/pod";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { isOwnWrite } from "../own-write.js";
import type { Column, ConnectHandler, ResourceDefinition, TableRowCondition } from "../resource-definition.js";
import { summarizePod } from "./pod-status.js";
import { validatePodStatus } from "./pod-status-validation.js";
import { mergeEphemeralContainers, mergeResize } from "./pod-subresources.js";
import { validatePod, validatePodUpdate } from "./pod-validation.js";

const columns: Column<Pod>[] = [
  nameColumn,
  column("Ready", (pod, now) => summarizePod(pod, now).ready, {
    description: "The aggregate readiness state of this pod for accepting traffic.",
  }),
  column("Status", (pod, now) => summarizePod(pod, now).reason, {
    description: "The aggregate status of the containers in this pod.",
  }),
  column("Restarts", (pod, now) => summarizePod(pod, now).restarts, {
    description:
      "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
  }),
  ageColumn,
  column("IP", (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || "<none>", {
    wide: true,
    field: "core.v1.PodStatus.podIP",
  }),
  column("Node", (pod) => pod.spec?.nodeName || "<none>", { wide: true, field: "core.v1.PodSpec.nodeName" }),
  column("Nominated Node", (pod) => pod.status?.nominatedNodeName || "<none>", {
    wide: true,
    field: "core.v1.PodStatus.nominatedNodeName",
  }),
  column("Readiness Gates", readinessGates, { wide: true, field: "core.v1.PodSpec.readinessGates" }),
];

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter(({ conditionType }) =>
    (pod.status?.conditions ?? []).some((c) => c.type === conditionType && c.status === "True"),
  );
  return `${met.length}/${gates.length}`;
}

/** Tells that the pod has ended, and how (upstream: podSuccessConditions, podFailedConditions). */
function rowConditions({ status }: Pod): TableRowCondition[] {
  if (status?.phase === "Succeeded") return [completed(status.phase, "The pod has completed successfully.")];
  if (status?.phase === "Failed") return [completed(status.phase, "The pod failed.")];
  return [];
}

function completed(reason: string, message: string): TableRowCondition {
  return { type: "Completed", status: "True", reason, message };
}

/** The QoS class; BestEffort while a quantity is none, which validation is about to say. */
function qosClassOf(pod: Pod): ReturnType<typeof qosClass> {
  try {
    return qosClass(pod);
  } catch {
    return "BestEffort";
  }
}

/** How long a deleted pod stays: no time when nothing runs (upstream: podStrategy.CheckGracefulDelete). */
export function podGracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === "Succeeded" || phase === "Failed") return 0;
  const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return period < 0 ? 1 : period;
}

/** The definition of pods; connect handlers come from outside. */
export function podDefinition(connect: { readonly [subresource: string]: ConnectHandler }): ResourceDefinition {
  return define<Pod>({
    resource: pods,
    storagePrefix: "pods",
    applyDefaults: setPodDefaults,
    hasStatus: true,
    hasGeneration: true,
    prepareForCreate(pod) {
      if (pod.spec) setServiceAccount(pod.spec);
      pod.status = { phase: "Pending", qosClass: qosClassOf(pod) };
    },
    gracePeriodSeconds: podGracePeriodSeconds,
    validate: validatePod,
    validateUpdate(pod, old, context) {
      const nodeName = pod.spec?.nodeName;
      // A binding is the only change of nodeName, and the apiserver's own.
      const binds = isOwnWrite(context) && nodeName && old.spec && !old.spec.nodeName;
      return validatePodUpdate(pod, binds ? { ...old, spec: { ...old.spec, nodeName } as PodSpec } : old);
    },
    validateStatusUpdate(pod, old) {
      // Kubelets leave the QoS class out when they reject a pod.
      const qosClass = old.status?.qosClass;
      if (qosClass && !pod.status?.qosClass) pod.status = { ...pod.status, qosClass };
      return validatePodStatus(pod, old);
    },
    selectableFields: {
      "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
      "spec.restartPolicy": (pod) => pod.spec?.restartPolicy ?? "",
      "spec.schedulerName": (pod) => pod.spec?.schedulerName ?? "",
      "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
      "spec.hostNetwork": (pod) => String(pod.spec?.hostNetwork ?? false),
      "status.phase": (pod) => pod.status?.phase ?? "",
      "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
      "status.podIPs": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
      "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
    },
    columns,
    rowConditions,
    connect,
    streams: ["log", "exec", "attach", "portforward", "proxy"],
    update: { ephemeralcontainers: mergeEphemeralContainers, resize: mergeResize },
  });
}
