// Who goes first, by resource; what is said of it; who may stay; who is refused.

import type { Pod, PodSpec } from "@picokube/api/core/v1";
import { Quantity } from "@picokube/api/quantity";
import { test } from "tap";
import { evictionMessage } from "./eviction-message.js";
import { hasLocalStorageLimit, localStorageViolation } from "./local-storage.js";
import { workingSetBytes } from "./observe-node.js";
import type { PodUsage } from "./pod-usage.js";
import { pressureRefusal } from "./pressure-admission.js";
import { rankPods } from "./rank.js";
import type { Signal } from "./signals.js";
import { parseThreshold } from "./thresholds.js";

const mi = 1024 * 1024;

interface Given {
  readonly priority?: number;
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
  readonly spec?: Partial<PodSpec>;
  readonly annotations?: Record<string, string>;
  /** MiB; undefined: nothing was measured. */
  readonly memory?: number;
  readonly processes?: number;
  readonly rootfs?: number;
  readonly logs?: number;
  readonly volume?: number;
}

function make(name: string, { priority = 0, requests, limits, spec, annotations }: Given): Pod {
  const container = { name: "c", image: "i", resources: { ...(requests && { requests }), ...(limits && { limits }) } };
  return {
    metadata: { name, namespace: "default", uid: name, annotations: annotations ?? {} },
    spec: { containers: [container], priority, ...spec },
  } as unknown as Pod;
}

function use({ memory = 0, processes = 0, rootfs = 0, logs = 0, volume = 0 }: Given): PodUsage {
  const fs = (size: number) => ({ bytes: size * mi, inodes: size });
  return {
    memoryBytes: memory * mi,
    processes,
    containers: [{ name: "c", memoryBytes: memory * mi, rootfs: fs(rootfs), logs: fs(logs) }],
    volumes: new Map([["v", fs(volume)]]),
  };
}

function ranked(given: Record<string, Given | undefined>, signal: Signal, dedicatedImageFs = false): string {
  const pods = Object.entries(given).map(([name, one]) => make(name, one ?? {}));
  const usageOf = (pod: Pod) => {
    const one = given[pod.metadata.name];
    return one && use(one);
  };
  return rankPods(pods, { signal, usageOf, dedicatedImageFs })
    .map(({ metadata }) => metadata.name)
    .join(" ");
}

test("pods are ranked as upstream ranks them", async (t) => {
  const memory = (request: string) => ({ requests: { memory: request } });
  const disk = (request: string) => ({ requests: { "ephemeral-storage": request } });
  const table: [string, Record<string, Given | undefined>, Signal, string, boolean?][] = [
    [
      "memory: over its requests, then priority, then by how much",
      {
        guaranteed: { ...memory("500Mi"), memory: 400 },
        burstable: { ...memory("100Mi"), memory: 150 },
        besteffort: { memory: 200 },
        low: { priority: -1, memory: 10 },
        important: { priority: 100, memory: 900 },
      },
      "memory.available",
      "low besteffort burstable important guaranteed",
    ],
    [
      "pods nobody could measure go first",
      { measured: { memory: 5 }, unmeasured: undefined },
      "memory.available",
      "unmeasured measured",
    ],
    [
      "priority alone saves nobody who exceeds",
      { under: { ...memory("100Mi"), memory: 50 }, over: { priority: 1000, memory: 1 } },
      "memory.available",
      "over under",
    ],
    [
      "disk: all that lies on the one file system",
      { layer: { rootfs: 30 }, log: { logs: 20 }, volume: { volume: 40 }, asked: { ...disk("1Gi"), volume: 500 } },
      "nodefs.available",
      "volume layer log asked",
    ],
    [
      "nodefs alone where images have their own",
      { layer: { rootfs: 300 }, log: { logs: 20 }, volume: { volume: 40 } },
      "nodefs.available",
      "volume log layer",
      true,
    ],
    ["imagefs alone", { volume: { volume: 400 }, layer: { rootfs: 3 } }, "imagefs.available", "layer volume", true],
    ["inodes", { few: { volume: 1 }, many: { volume: 9 } }, "nodefs.inodesFree", "many few"],
    [
      "processes: priority, then how many",
      { high: { priority: 9, processes: 900 }, few: { processes: 2 }, many: { processes: 50 } },
      "pid.available",
      "many few high",
    ],
  ];
  for (const [what, given, signal, order, dedicated] of table) {
    t.equal(ranked(given, signal, dedicated), order, what);
  }
});

test("the message tells threshold, containers and requests", async (t) => {
  const observed = { available: Quantity.parse("90Mi"), capacity: Quantity.parse("1Gi") };
  const cause = {
    resource: "memory" as const,
    thresholds: [parseThreshold("memory.available", "100Mi")!],
    observations: new Map([["memory.available" as const, observed]]),
  };
  const begin = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ";
  const given: Given = { memory: 70, requests: { memory: "64Mi" } };
  t.equal(
    evictionMessage(make("p", given), use(given), cause),
    `${begin}Container c was using 70Mi, request is 64Mi, has larger consumption of memory. `,
  );
  t.equal(evictionMessage(make("p", { requests: { memory: "1Gi" } }), use(given), cause), begin);
  t.equal(evictionMessage(make("p", given), undefined, cause), begin);
  t.equal(
    evictionMessage(make("p", { spec: { resources: { requests: { memory: "32Mi" } } } }), use({ memory: 40 }), cause),
    `${begin}Pod p was using 40Mi, request is 32Mi, has larger consumption of memory. Container c was using 40Mi, request is 0, has larger consumption of memory. `,
  );
});

test("local storage limits", async (t) => {
  const emptyDir = (sizeLimit: string, medium?: string) => ({
    spec: { volumes: [{ name: "v", emptyDir: { sizeLimit, ...(medium ? { medium } : {}) } }] } as Partial<PodSpec>,
  });
  const limit = (size: string) => ({ limits: { "ephemeral-storage": size } });
  const containers = [
    { name: "c", image: "i", resources: limit("10Mi") },
    { name: "d", image: "i", resources: limit("90Mi") },
  ];
  const oneOver: Given = { rootfs: 11, spec: { containers } };
  const table: [string, Given, string | undefined, boolean?][] = [
    ["an emptyDir over", { ...emptyDir("1Mi"), volume: 2 }, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '],
    ["an emptyDir within", { ...emptyDir("2Mi"), volume: 2 }, undefined],
    [
      "all together over",
      { ...limit("10Mi"), rootfs: 4, logs: 4, volume: 4 },
      "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
    ],
    ["all together within", { ...limit("12Mi"), rootfs: 4, logs: 4, volume: 4 }, undefined],
    [
      "one container over, the other's limit hides it from the sum",
      oneOver,
      'Container c exceeded its local ephemeral storage limit "10Mi". ',
    ],
    ["layers do not count against a container where they lie elsewhere", oneOver, undefined, true],
  ];
  for (const [what, given, message, dedicatedImageFs = false] of table) {
    const pod = make("p", given);
    t.equal(localStorageViolation(pod, use(given), { dedicatedImageFs })?.message, message, what);
    t.equal(hasLocalStorageLimit(pod), true, `${what}: is measured`);
  }
  t.equal(hasLocalStorageLimit(make("p", emptyDir("1Mi", "Memory"))), false);
  t.equal(hasLocalStorageLimit(make("p", { limits: { memory: "1Mi" } })), false);
});

test("a node under pressure refuses some", async (t) => {
  const message = (words: string) => ({ reason: "Evicted", message: `The node had condition: [${words}]. ` });
  const tolerating = {
    spec: { tolerations: [{ key: "node.kubernetes.io/memory-pressure", operator: "Exists" }] } as Partial<PodSpec>,
  };
  const burstable = { requests: { memory: "1Mi" } };
  const memory = ["MemoryPressure"] as const;
  const both = ["MemoryPressure", "DiskPressure"] as const;
  t.same(pressureRefusal(make("p", {}), []), undefined);
  t.same(pressureRefusal(make("p", {}), memory), message("MemoryPressure"));
  t.same(pressureRefusal(make("p", tolerating), memory), undefined);
  t.same(pressureRefusal(make("p", burstable), memory), undefined);
  t.same(pressureRefusal(make("p", burstable), both), message("MemoryPressure DiskPressure"));
  t.same(pressureRefusal(make("p", tolerating), ["DiskPressure"]), message("DiskPressure"));
  t.same(pressureRefusal(make("p", { priority: 2_000_000_000 }), both), undefined);
  t.same(pressureRefusal(make("p", { annotations: { "kubernetes.io/config.source": "file" } }), both), undefined);
  t.same(
    pressureRefusal(make("p", { annotations: { "kubernetes.io/config.source": "api" } }), both)?.reason,
    "Evicted",
  );
});

test("the working set leaves out what can be had back", async (t) => {
  const v1 = "cache 500\ninactive_file 1\ntotal_inactive_file 300\n";
  t.equal(workingSetBytes({ memoryStat: v1, usage: "1000\n" }), 700);
  const v2 = "anon 400\nfile 500\ninactive_file 300\n";
  t.equal(workingSetBytes({ memoryStat: v2, usage: "1000" }), 700);
  t.equal(workingSetBytes({ memoryStat: v2, usage: undefined }), 600);
});
