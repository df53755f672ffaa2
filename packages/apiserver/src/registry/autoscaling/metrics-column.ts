// The Targets cell of HorizontalPodAutoscalers (upstream: formatHPAMetrics). Pure.

import type { HorizontalPodAutoscaler } from "@picokube/api/autoscaling/v2";

interface MetricValue {
  value?: string | number;
  averageValue?: string | number;
  averageUtilization?: number;
}

type MetricSpec = NonNullable<NonNullable<HorizontalPodAutoscaler["spec"]>["metrics"]>[number];
type MetricStatus = NonNullable<NonNullable<HorizontalPodAutoscaler["status"]>["currentMetrics"]>[number];

function oneMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  const cell = (target: MetricValue | undefined, current: MetricValue | undefined) => {
    if (target?.averageUtilization !== undefined) {
      const now = current?.averageUtilization;
      return `${now === undefined ? "<unknown>" : `${now}%`}/${target.averageUtilization}%`;
    }
    if (target?.averageValue !== undefined) return `${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
    return `${current?.value ?? "<unknown>"}/${target?.value ?? "<auto>"}`;
  };
  switch (spec.type) {
    case "Resource":
      return `${spec.resource?.name}: ${cell(spec.resource?.target, status?.resource?.current)}`;
    case "ContainerResource":
      return `${spec.containerResource?.name}: ${cell(spec.containerResource?.target, status?.containerResource?.current)}`;
    case "Pods":
      return cell(spec.pods?.target, status?.pods?.current);
    case "Object": {
      const average = spec.object?.target.averageValue !== undefined ? " (avg)" : "";
      return `${cell(spec.object?.target, status?.object?.current)}${average}`;
    }
    case "External": {
      const average = spec.external?.target.averageValue !== undefined ? " (avg)" : "";
      return `${cell(spec.external?.target, status?.external?.current)}${average}`;
    }
    default:
      return "<unknown type>";
  }
}

/** The first two targets with their current values, and how many there are besides. */
export function formatMetrics({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics.slice(0, 2).map((metric, index) => oneMetric(metric, status?.currentMetrics?.[index]));
  return shown.join(", ") + (metrics.length > 2 ? ` + ${metrics.length - 2} more...` : "");
}
