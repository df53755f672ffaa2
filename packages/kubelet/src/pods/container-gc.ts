// Removes containers that have ended where their disk space is needed: those of pods at their end, and old attempts that
// only `kubectl logs --previous` would miss. Mirrors upstream's DeleteAllUnusedContainers, but for the newest attempt of
// each container of a living pod: it is what the pod's restarts and its status are reckoned from.

import type { ContainerStatus } from "../cri/runtime.js";
import { excessContainers } from "./dead-containers.js";
import type { PodContext } from "./pod-context.js";

/** Ids of those that may go. isActive tells of a pod's uid whether the pod lives. */
export function unusedContainers(
  containers: readonly ContainerStatus[],
  isActive: (podUid: string) => boolean,
): string[] {
  const newestFirst = [...containers].sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt);
  const seen = new Set<string>();
  return newestFirst.flatMap(({ id, podUid, name, state }) => {
    const key = `${podUid} ${name}`;
    const isNewest = !seen.has(key);
    seen.add(key);
    if (state !== "exited" || (isNewest && isActive(podUid))) return [];
    return [id];
  });
}

/** Removes them; one that cannot go holds up no other. */
export async function removeUnusedContainers(
  { runtime, logger }: Pick<PodContext, "runtime" | "logger">,
  isActive: (podUid: string) => boolean,
): Promise<void> {
  logger.info("Attempting to delete unused containers");
  const unused = unusedContainers(await runtime.listContainers(), isActive);
  await Promise.all(
    unused.map((containerID) =>
      runtime
        .removeContainer(containerID)
        .catch((err: unknown) => logger.error("Cannot remove an unused container", { containerID, err })),
    ),
  );
}

const periodMs = 60_000;

/** Holds all pods together to --maximum-dead-containers, once a minute as upstream; without that flag it rests. */
export async function runContainerGc(
  { runtime, settings, clock, logger }: Pick<PodContext, "runtime" | "settings" | "clock" | "logger">,
  signal: AbortSignal,
): Promise<void> {
  if (settings.deadContainers.max < 0) return;
  while (!signal.aborted) {
    try {
      const collection = { policy: settings.deadContainers, nowMs: clock.now() };
      const excess = excessContainers(await runtime.listContainers(), collection);
      await Promise.all(excess.map((id) => runtime.removeContainer(id)));
    } catch (err) {
      if (!signal.aborted) logger.error("Container garbage collection failed", { err });
    }
    await clock.sleep(periodMs, signal).catch(() => undefined);
  }
}
