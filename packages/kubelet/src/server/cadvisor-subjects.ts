// Whom cAdvisor's figures are told of: the containers of a pod and its sandbox, under their labels. Measures nothing.

import type { Pod } from "@picokube/api/core/v1";
import { podCgroupParent } from "../cgroups/pod-cgroup.js";
import { containerName, sandboxName } from "../cri/docker/names.js";
import type { ContainerFigures, ContainerResources } from "../cri/runtime.js";
import type { PodUsage, StatsSources } from "./usage.js";

type Labels = Readonly<Record<string, string>>;

/** A container or a sandbox that has figures. */
export interface Measured {
  readonly labels: Labels;
  readonly figures: ContainerFigures;
  readonly startedAt: number;
  /** Of containers of pods, not of their sandboxes. */
  readonly resources?: ContainerResources;
}

function cgroupOf(pod: Pod, id: string, { settings }: StatsSources): string {
  const driver = settings.cgroupDriver ?? "cgroupfs";
  return `${podCgroupParent(pod, { driver, root: settings.cgroupRoot })}/${driver === "systemd" ? `docker-${id}.scope` : id}`;
}

function identityOf({ metadata }: Pod) {
  return { podName: metadata.name, podNamespace: metadata.namespace ?? "default", podUid: metadata.uid };
}

/** The pod's sandbox, where it has figures, and its containers. */
export function measuredOf(usage: PodUsage, sources: StatsSources): Measured[] {
  const { pod, sandbox } = usage;
  const of = { namespace: pod.metadata.namespace ?? "default", pod: pod.metadata.name };
  const containers = usage.containers.map(({ status, figures }) => ({
    labels: {
      container: status.name,
      id: cgroupOf(pod, status.id, sources),
      image: status.image,
      name: containerName(identityOf(pod), status),
      ...of,
    },
    figures,
    startedAt: status.startedAt,
    resources: status.resources,
  }));
  if (!sandbox?.figures) return containers;
  return [
    { labels: sandboxLabels(usage, sources), figures: sandbox.figures, startedAt: usage.startedAt },
    ...containers,
  ];
}

/** Of what is told of a pod's network. */
export function sandboxLabels({ pod, sandbox }: PodUsage, sources: StatsSources): Labels {
  return {
    container: "POD",
    id: cgroupOf(pod, sandbox?.id ?? "", sources),
    image: "",
    name: sandboxName({ ...identityOf(pod), attempt: sandbox?.attempt ?? 0 }),
    namespace: pod.metadata.namespace ?? "default",
    pod: pod.metadata.name,
  };
}
