// The resources that pods here were granted, which a resize may ask to change: in memory, and in a file that outlives the
// kubelet (upstream's allocated_pods_state). Grants nothing itself.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Container, Pod } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isSidecar } from "@picokube/api/pod";
import type { Logger } from "@picokube/component-base/logger";

type Resources = NonNullable<Container["resources"]>;

/** Resources by container name. */
type PodAllocation = Readonly<Record<string, Resources>>;

export interface AllocatedPods {
  has(podUid: string): boolean;
  /** The pod with the resources it was granted in place of those it wishes; itself where they are the same. */
  apply(pod: Pod): Pod;
  /** Grants what the pod's spec says. */
  set(pod: Pod): void;
  remove(podUid: string): void;
  /** Forgets all but these: what went while no kubelet ran. */
  keepOnly(podUids: ReadonlySet<string>): void;
}

/** Containers whose resources may be resized. */
export function resizableContainers(pod: Pod): Container[] {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter(isSidecar)];
}

function allocationOf(pod: Pod): PodAllocation {
  return Object.fromEntries(resizableContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));
}

function read(path: string, logger: Logger): Map<string, PodAllocation> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return new Map();
  }
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, PodAllocation>));
  } catch (err) {
    // What it said of running containers can be read off them; only wishes not yet granted are granted anew.
    logger.error("The file of allocated resources cannot be read, beginning a new one", { path, err });
    return new Map();
  }
}

/** Opens the file, or begins with nothing. */
export function openAllocatedPods({ path, logger }: { path: string; logger: Logger }): AllocatedPods {
  const allocations = read(path, logger);

  function save(): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    const temporary = `${path}.tmp`;
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(allocations)), { mode: 0o600 });
    renameSync(temporary, path);
  }

  return {
    has: (podUid) => allocations.has(podUid),
    apply(pod) {
      const allocation = allocations.get(pod.metadata.uid);
      if (!pod.spec || !allocation || semanticDeepEqual(allocation, allocationOf(pod))) return pod;
      const granted = (container: Container): Container => {
        const resources = allocation[container.name];
        return resources ? { ...container, resources } : container;
      };
      const { initContainers } = pod.spec;
      const spec = {
        ...pod.spec,
        containers: pod.spec.containers.map(granted),
        ...(initContainers ? { initContainers: initContainers.map(granted) } : {}),
      };
      return { ...pod, spec };
    },
    set(pod) {
      const allocation = allocationOf(pod);
      if (semanticDeepEqual(allocations.get(pod.metadata.uid), allocation)) return;
      allocations.set(pod.metadata.uid, allocation);
      save();
    },
    remove(podUid) {
      if (allocations.delete(podUid)) save();
    },
    keepOnly(podUids) {
      const gone = [...allocations.keys()].filter((uid) => !podUids.has(uid));
      for (const uid of gone) allocations.delete(uid);
      if (gone.length > 0) save();
    },
  };
}
