// Loaded into a real kubelet by `node --expose-gc --import`: tells its parent what the process holds. Imported by nobody.

import { queryObjects } from "node:v8";
import { PodWorker } from "./pods/pod-worker.js";

process.on("message", () => {
  // With all garbage collected.
  globalThis.gc?.();
  const counts: Record<string, number> = {
    PodWorker: queryObjects(PodWorker, { format: "count" }),
    AbortSignal: queryObjects(AbortSignal, { format: "count" }),
    Promise: queryObjects(Promise, { format: "count" }),
  };
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  process.send!({ heapBytes: process.memoryUsage().heapUsed, counts });
});
// A channel that is listened to must not keep a kubelet alive that has been told to stop.
process.channel?.unref();
