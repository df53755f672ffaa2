// Defaults of the workloads (upstream: pkg/apis/apps/v1/defaults.go). Pure, in place, idempotent.

import { setPersistentVolumeClaimDefaults } from "../core/defaults.js";
import { setPodTemplateDefaults } from "../core/pod-defaults.js";
import type { PersistentVolumeClaim, PodSpec, PodTemplateSpec } from "../core/v1.js";
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "./v1.js";

/** The spec, with a template: both are there in Go whatever a client leaves out, and so get their defaults. */
function withTemplate<Spec extends { template?: PodTemplateSpec }>(workload: { spec?: Spec }): Spec {
  workload.spec ??= {} as Spec;
  workload.spec.template ??= {};
  workload.spec.template.spec ??= {} as PodSpec;
  return workload.spec;
}

export function setDeploymentDefaults(deployment: Deployment): void {
  const spec = withTemplate(deployment);
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  setPodTemplateDefaults(spec.template);
}

export function setReplicaSetDefaults(replicaSet: ReplicaSet): void {
  const spec = withTemplate(replicaSet);
  spec.replicas ??= 1;
  setPodTemplateDefaults(spec.template);
}

export function setStatefulSetDefaults(statefulSet: StatefulSet): void {
  const spec = withTemplate(statefulSet);
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const template of spec.volumeClaimTemplates ?? []) {
    template.apiVersion ||= "v1";
    template.kind ||= "PersistentVolumeClaim";
    setPersistentVolumeClaimDefaults(template as PersistentVolumeClaim);
    template.status ??= {};
    template.status.phase ||= "Pending";
  }
  setPodTemplateDefaults(spec.template);
}

export function setDaemonSetDefaults(daemonSet: DaemonSet): void {
  const spec = withTemplate(daemonSet);
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  setPodTemplateDefaults(spec.template);
}
