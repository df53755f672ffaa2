// HorizontalPodAutoscalers between autoscaling/v1 and v2 (upstream: pkg/apis/autoscaling/v1/conversion.go). What v1
// cannot say travels in annotations, as upstream's do.

import type { HorizontalPodAutoscaler as V1 } from "@picokube/api/autoscaling/v1";
import type { HorizontalPodAutoscaler as V2 } from "@picokube/api/autoscaling/v2";

const metricsKey = "autoscaling.alpha.kubernetes.io/metrics";
const currentMetricsKey = "autoscaling.alpha.kubernetes.io/current-metrics";
const conditionsKey = "autoscaling.alpha.kubernetes.io/conditions";
const behaviorKey = "autoscaling.alpha.kubernetes.io/behavior";
const keys = [metricsKey, currentMetricsKey, conditionsKey, behaviorKey];

type Metrics = NonNullable<NonNullable<V2["spec"]>["metrics"]>;
type Metric = Metrics[number];
type CurrentMetrics = NonNullable<NonNullable<V2["status"]>["currentMetrics"]>;

function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

function withAnnotations<T extends { annotations?: { [key: string]: string } }>(
  metadata: T,
  add: { [key: string]: unknown },
): T {
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => !keys.includes(key)),
  );
  for (const [key, value] of Object.entries(add)) if (value !== undefined) annotations[key] = JSON.stringify(value);
  const { annotations: _, ...rest } = metadata;
  return (Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest) as T;
}

const isCpu = (metric: { type: string; resource?: { name: string } }) =>
  metric.type === "Resource" && metric.resource?.name === "cpu";

/** A v1 object in the shape of v2. */
export function toV2({ spec, status, ...rest }: V1): V2 {
  const annotations = rest.metadata.annotations ?? {};
  const metrics: Metrics = parsed<Metrics>(annotations[metricsKey]) ?? [];
  const target = spec?.targetCPUUtilizationPercentage;
  const cpu: Metric[] =
    target === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: target } } }];
  const all = [...metrics, ...cpu];
  const behavior = parsed<NonNullable<V2["spec"]>["behavior"]>(annotations[behaviorKey]);
  const conditions = parsed<NonNullable<V2["status"]>["conditions"]>(annotations[conditionsKey]);
  const current = parsed<CurrentMetrics>(annotations[currentMetricsKey]) ?? [];
  const { targetCPUUtilizationPercentage: _, ...shared } = spec ?? ({} as NonNullable<V1["spec"]>);
  const { currentCPUUtilizationPercentage, ...sharedStatus } = status ?? ({} as NonNullable<V1["status"]>);
  if (currentCPUUtilizationPercentage !== undefined) {
    const averageUtilization = currentCPUUtilizationPercentage;
    current.push({
      type: "Resource",
      resource: { name: "cpu", current: { averageUtilization, averageValue: "0" } },
    });
  }
  return {
    ...rest,
    apiVersion: "autoscaling/v2",
    metadata: withAnnotations(rest.metadata, {}),
    ...(spec
      ? { spec: { ...shared, ...(all.length > 0 ? { metrics: all } : {}), ...(behavior ? { behavior } : {}) } }
      : {}),
    ...(status
      ? {
          status: {
            ...sharedStatus,
            ...(current.length > 0 ? { currentMetrics: current } : {}),
            ...(conditions ? { conditions } : {}),
          },
        }
      : {}),
  } as V2;
}

/** A v2 object in the shape of v1. */
export function fromV2({ spec, status, ...rest }: V2): V1 {
  const { metrics = [], behavior, ...shared } = spec ?? ({} as NonNullable<V2["spec"]>);
  const cpu = metrics.find((metric) => isCpu(metric) && metric.resource?.target.averageUtilization !== undefined);
  const others = metrics.filter((metric) => metric !== cpu);
  const { currentMetrics = [], conditions, ...sharedStatus } = status ?? ({} as NonNullable<V2["status"]>);
  const currentCpu = currentMetrics.find((m) => isCpu(m) && m.resource?.current.averageUtilization !== undefined);
  const otherCurrent = currentMetrics.filter((metric) => metric !== currentCpu);
  const target = cpu?.resource?.target.averageUtilization;
  const current = currentCpu?.resource?.current.averageUtilization;
  return {
    ...rest,
    apiVersion: "autoscaling/v1",
    metadata: withAnnotations(rest.metadata, {
      [metricsKey]: others.length > 0 ? others : undefined,
      [behaviorKey]: behavior,
      [currentMetricsKey]: otherCurrent.length > 0 ? otherCurrent : undefined,
      [conditionsKey]: conditions && conditions.length > 0 ? conditions : undefined,
    }),
    ...(spec
      ? { spec: { ...shared, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) } }
      : {}),
    ...(status
      ? {
          status: {
            ...sharedStatus,
            currentReplicas: sharedStatus.currentReplicas ?? 0,
            ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
          },
        }
      : {}),
  } as V1;
}
