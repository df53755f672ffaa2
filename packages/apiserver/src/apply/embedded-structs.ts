// Which structs upstream's Go types hold by value. Such a struct is there, if empty, wherever its parent is, so that
// writing fields below it does not add the struct itself to what the writer owns. Only data.

const FIELDS: ReadonlySet<string> = new Set(["metadata", "spec", "status"]);
const TYPES: ReadonlySet<string> = new Set([
  "io.k8s.api.apps.v1.DaemonSetUpdateStrategy",
  "io.k8s.api.apps.v1.DeploymentStrategy",
  "io.k8s.api.apps.v1.StatefulSetUpdateStrategy",
  "io.k8s.api.autoscaling.v2.CrossVersionObjectReference",
  "io.k8s.api.autoscaling.v2.MetricIdentifier",
  "io.k8s.api.autoscaling.v2.MetricTarget",
  "io.k8s.api.autoscaling.v2.MetricValueStatus",
  "io.k8s.api.batch.v1.JobTemplateSpec",
  "io.k8s.api.core.v1.ContainerState",
  "io.k8s.api.core.v1.DaemonEndpoint",
  "io.k8s.api.core.v1.EventSource",
  "io.k8s.api.core.v1.LoadBalancerStatus",
  "io.k8s.api.core.v1.NodeDaemonEndpoints",
  "io.k8s.api.core.v1.NodeSystemInfo",
  "io.k8s.api.core.v1.PodAffinityTerm",
  "io.k8s.api.core.v1.PodTemplateSpec",
  "io.k8s.api.core.v1.ResourceRequirements",
  "io.k8s.api.core.v1.VolumeResourceRequirements",
  "io.k8s.api.discovery.v1.EndpointConditions",
]);

/** True for a field whose struct upstream holds by value. */
export function isEmbeddedStruct(field: string, ref: string | undefined): boolean {
  return ref !== undefined && (FIELDS.has(field) || TYPES.has(ref));
}
