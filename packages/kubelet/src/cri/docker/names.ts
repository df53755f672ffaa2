// Names and labels of the kubelet's containers in Docker, as dockershim gave them. They are the kubelet's only state.
// Pure; never talks to the engine.

import type { ContainerConfig, Labels, SandboxConfig } from "../runtime.js";

export const labelNames = {
  type: "io.kubernetes.docker.type",
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
  sandboxId: "io.kubernetes.sandbox.id",
  attempt: "io.picokube.attempt",
  image: "io.picokube.image",
  /** Which kubelet owns it: several can share one engine. */
  scope: "io.picokube.scope",
} as const;

const annotationPrefix = "annotation.";

/** The part of a pod that names and labels carry. */
export interface PodIdentity {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
}

/** k8s_POD_<pod>_<namespace>_<uid>_<attempt> */
export function sandboxName(config: PodIdentity & { attempt: number }): string {
  return ["k8s", "POD", config.podName, config.podNamespace, config.podUid, config.attempt].join("_");
}

/** k8s_<container>_<pod>_<namespace>_<uid>_<attempt> */
export function containerName(pod: PodIdentity, { name, attempt }: { name: string; attempt: number }): string {
  return ["k8s", name, pod.podName, pod.podNamespace, pod.podUid, attempt].join("_");
}

function identityLabels(pod: PodIdentity): Record<string, string> {
  return {
    [labelNames.podName]: pod.podName,
    [labelNames.podNamespace]: pod.podNamespace,
    [labelNames.podUid]: pod.podUid,
  };
}

function annotationLabels(annotations: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [annotationPrefix + key, value]));
}

/** All labels of a sandbox. */
export function sandboxLabels(config: SandboxConfig, scope: string): Record<string, string> {
  return {
    ...config.labels,
    ...annotationLabels(config.annotations),
    ...identityLabels(config),
    [labelNames.containerName]: "POD",
    [labelNames.type]: "podsandbox",
    [labelNames.attempt]: String(config.attempt),
    [labelNames.scope]: scope,
  };
}

/** All labels of a container in the sandbox. */
export function containerLabels(
  config: ContainerConfig,
  { pod, sandboxId, scope }: { pod: PodIdentity; sandboxId: string; scope: string },
): Record<string, string> {
  return {
    ...config.labels,
    ...annotationLabels(config.annotations),
    ...identityLabels(pod),
    [labelNames.containerName]: config.name,
    [labelNames.type]: "container",
    [labelNames.sandboxId]: sandboxId,
    [labelNames.attempt]: String(config.attempt),
    [labelNames.image]: config.image,
    [labelNames.scope]: scope,
  };
}

/** Who a container belongs to, read back from its labels. */
export function identityOf(labels: Labels): PodIdentity & { attempt: number } {
  return {
    podName: labels[labelNames.podName] ?? "",
    podNamespace: labels[labelNames.podNamespace] ?? "",
    podUid: labels[labelNames.podUid] ?? "",
    attempt: Number(labels[labelNames.attempt] ?? 0),
  };
}

/** Splits what was stored into the caller's labels and annotations; the names above are left out. */
export function splitLabels(stored: Labels): { labels: Labels; annotations: Labels } {
  const own = new Set<string>(Object.values(labelNames));
  const labels: Record<string, string> = {};
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(stored)) {
    if (key.startsWith(annotationPrefix)) annotations[key.slice(annotationPrefix.length)] = value;
    else if (!own.has(key)) labels[key] = value;
  }
  return { labels, annotations };
}
