// What the node's status tells of the runtime, asked with patience that ends: an engine that hangs must not keep the node
// from saying so.

import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "../cri/runtime.js";

const patienceMs = 10_000;

/** Undefined stands for what was not answered. */
export async function askRuntime(runtime: Runtime, clock: Clock) {
  const answered = new AbortController();
  const late = clock.sleep(patienceMs, answered.signal).then(
    () => undefined,
    () => undefined,
  );
  const inTime = <T>(answer: Promise<T>) => Promise.race([answer.catch(() => undefined), late]);
  const [images, version, handlers, recursiveReadOnlyMounts] = await Promise.all([
    inTime(runtime.listImages()),
    inTime(runtime.version()),
    inTime(runtime.runtimeHandlers()),
    inTime(runtime.recursiveReadOnlyMounts()),
  ]);
  answered.abort();
  return { images, version, handlers, recursiveReadOnlyMounts };
}
