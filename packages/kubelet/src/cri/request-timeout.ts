// A bound for each question to the engine: one that never answers must not hold up a pod for ever. Mirrors the deadlines of
// upstream's remote runtime client. Pulls, logs, streams and events last as long as they last.

import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "./runtime.js";

const bounded = [
  "version",
  "runtimeHandlers",
  "recursiveReadOnlyMounts",
  "cgroupDriver",
  "stopSandbox",
  "removeSandbox",
  "sandboxStatus",
  "listSandboxes",
  "createContainer",
  "startContainer",
  "removeContainer",
  "updateContainer",
  "listContainers",
  "containerStatus",
  "imageStatus",
  "listImages",
  "removeImage",
  "imagesInUse",
  "stats",
  "containerDiskUsage",
  "imageDirectory",
] as const satisfies (keyof Runtime)[];

type Request = (...args: never[]) => Promise<unknown>;

/** The same runtime; a request that takes longer rejects with "context deadline exceeded", and its answer is for nobody. */
export function withRequestTimeout(
  runtime: Runtime,
  { timeoutMs, clock }: { timeoutMs: number; clock: Clock },
): Runtime {
  function within<T>(limitMs: number, request: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = clock.after(limitMs, () => reject(new Error("context deadline exceeded")));
      request.finally(() => timer.cancel()).then(resolve, reject);
    });
  }
  const requests = bounded.map((name) => {
    const ask: Request = runtime[name];
    return [name, (...args: never[]) => within(timeoutMs, ask.apply(runtime, args))] as const;
  });
  return {
    ...runtime,
    ...(Object.fromEntries(requests) as unknown as Pick<Runtime, (typeof bounded)[number]>),
    // Upstream gives sandboxes twice the time, and what has a time of its own that time on top.
    runSandbox: (config) => within(2 * timeoutMs, runtime.runSandbox(config)),
    stopContainer: (id, graceSeconds) =>
      within(timeoutMs + graceSeconds * 1000, runtime.stopContainer(id, graceSeconds)),
    execSync: (id, command, ownMs) => within(timeoutMs + ownMs, runtime.execSync(id, command, ownMs)),
  };
}
