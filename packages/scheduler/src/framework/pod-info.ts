// A Pod as the plugins read it: parsed once, when it enters the queue or the cache. Never changes.

import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from "@picokube/api/core/v1";
import { podRequests, type ResourceAmounts } from "@picokube/api/pod";
import { everything, type Labels, type Selector, selectorFromLabelSelector } from "@picokube/api/selectors/labels";

/** Amounts by resource name: cpu in millicores, everything else in whole units. */
export type Amounts = ReadonlyMap<string, number>;

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** One term of pod affinity with its selectors parsed. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly namespaces: ReadonlySet<string>;
  /** Undefined: no further namespaces. */
  readonly namespaceSelector: Selector | undefined;
  /** 0 for a required term. */
  readonly weight: number;
}

export interface PodInfo {
  readonly pod: Pod;
  readonly requests: Amounts;
  /** cpu and memory with a default for containers that ask for none, so that they too count in scores. */
  readonly nonZeroRequests: Amounts;
  readonly hostPorts: readonly HostPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

/** Upstream's DefaultMilliCPURequest and DefaultMemoryRequest. */
const DEFAULT_REQUESTS = { cpu: "100m", memory: String(200 * 1024 * 1024) };

/** Quantities as the numbers that plugins reckon with. */
export function toAmounts(quantities: ResourceAmounts): Amounts {
  return new Map(
    [...quantities].map(([name, amount]) => [name, name === "cpu" ? amount.milliValue() : amount.value()]),
  );
}

function nonZeroRequests(pod: Pod): Amounts {
  const withDefaults = (container: NonNullable<Pod["spec"]>["containers"][number]) => ({
    ...container,
    resources: { requests: { ...DEFAULT_REQUESTS, ...container.resources?.limits, ...container.resources?.requests } },
  });
  const { spec } = pod;
  if (!spec) return new Map();
  const containers = spec.containers.map(withDefaults);
  const initContainers = (spec.initContainers ?? []).map(withDefaults);
  return toAmounts(podRequests({ spec: { ...spec, containers, initContainers } }));
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => (hostPort ?? 0) > 0)
      .map(({ hostPort, hostIP, protocol }) => ({
        ip: hostIP || "0.0.0.0",
        protocol: protocol ?? "TCP",
        port: hostPort!,
      })),
  );
}

function parseTerm(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const own = term.namespaces?.length || term.namespaceSelector ? [] : [pod.metadata.namespace ?? ""];
  return {
    topologyKey: term.topologyKey,
    selector: selectorFromLabelSelector(term.labelSelector),
    namespaces: new Set([...(term.namespaces ?? []), ...own]),
    namespaceSelector: term.namespaceSelector ? selectorFromLabelSelector(term.namespaceSelector) : undefined,
    weight,
  };
}

/** Parses a Pod. Throws an Error when one of its selectors is invalid. */
export function podInfoOf(pod: Pod): PodInfo {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const required = (terms: PodAffinityTerm[] | undefined) => (terms ?? []).map((term) => parseTerm(pod, term, 0));
  const preferred = (terms: WeightedPodAffinityTerm[] | undefined) =>
    (terms ?? []).map(({ podAffinityTerm, weight }) => parseTerm(pod, podAffinityTerm, weight));
  return {
    pod,
    requests: toAmounts(podRequests(pod)),
    nonZeroRequests: nonZeroRequests(pod),
    hostPorts: hostPortsOf(pod),
    requiredAffinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

/** Whether a term means this pod; namespaceLabels gives the labels of a namespace. */
export function termMatches(term: AffinityTerm, pod: Pod, namespaceLabels: (namespace: string) => Labels): boolean {
  const namespace = pod.metadata.namespace ?? "";
  const inNamespace =
    term.namespaces.has(namespace) ||
    (term.namespaceSelector !== undefined &&
      (term.namespaceSelector === everything || term.namespaceSelector.matches(namespaceLabels(namespace) ?? {})));
  return inNamespace && term.selector.matches(pod.metadata.labels);
}
