// Operations counted, timed and failed as they were asked; a pod's start without what its images took.

import { createMetrics } from "@picokube/component-base/metrics";
import { pod as buildPod } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createMemoryRuntime } from "../cri/memory/memory-runtime.js";
import type { ImageManager } from "../images/image-manager.js";
import { pathBucket } from "../server/http-metrics.js";
import { containerType } from "./instruments.js";
import { imageSizeBucket, measuredRuntime } from "./measured-runtime.js";
import { createPodStartLatency } from "./pod-start-latency.js";

test("what is asked of the runtime", async (t) => {
  const metrics = createMetrics({ withProcess: false });
  const clock = steppingClock();
  const runtime = measuredRuntime(createMemoryRuntime({ clock, images: [] }), metrics, clock);
  await runtime.listContainers();
  await runtime.listContainers();
  await t.rejects(runtime.containerStatus("none"));
  const text = await metrics.render();
  const says = (line: string) => t.ok(text.split("\n").includes(line), line);
  says('kubelet_runtime_operations_total{operation_type="list_containers"} 2');
  says('kubelet_runtime_operations_total{operation_type="container_status"} 1');
  says('kubelet_runtime_operations_errors_total{operation_type="container_status"} 1');
  says('kubelet_runtime_operations_duration_seconds_count{operation_type="list_containers"} 2');
  t.notMatch(text, /errors_total\{operation_type="list_containers"/);
});

test("labels", async (t) => {
  const mebibyte = 1024 * 1024;
  t.equal(imageSizeBucket(0), "0-10MB");
  t.equal(imageSizeBucket(10 * mebibyte), "10MB-100MB");
  t.equal(imageSizeBucket(3 * 1024 * mebibyte), "1GB-5GB");
  t.equal(imageSizeBucket(500 * 1024 * mebibyte), "GT100GB");
  const pod = buildPod("web", {
    spec: { containers: [{ name: "c" }], initContainers: [{ name: "i" }], ephemeralContainers: [{ name: "e" }] },
  });
  t.same(
    ["c", "i", "e"].map((name) => containerType(pod, name)),
    ["container", "init_container", "ephemeral_container"],
  );
  t.same(["/exec/ns/pod/c?command=ls", "/metrics/cadvisor", "/stats/summary", "/pods", "/healthz"].map(pathBucket), [
    "exec",
    "metrics/cadvisor",
    "stats/summary",
    "pods",
    "healthz",
  ]);
});

test("a pod's start", async (t) => {
  const metrics = createMetrics({ withProcess: false });
  const clock = steppingClock();
  const created = new Date(clock.now() - 2000).toISOString();
  const seen = (uid: string, status: object) =>
    buildPod("web", {
      metadata: { uid, creationTimestamp: created },
      spec: { containers: [{ name: "c", image: "i" }] },
      status: status as never,
    });
  const running = { containerStatuses: [{ name: "c", state: { running: {} } }] };
  const latency = createPodStartLatency(metrics, clock);
  latency.observe(seen("new", {}));
  latency.observe(seen("old", { startTime: created, ...running }));
  const images: ImageManager = {
    ensure: async () => {
      await clock.advance(10_000);
      return {} as never;
    },
  };
  const { ensure } = latency.measured(images);
  await ensure(seen("new", {}), { name: "c", image: "i" }, new AbortController().signal);
  await clock.advance(1000);
  latency.observe(seen("new", { containerStatuses: [{ name: "c", state: { waiting: {} } }] }));
  latency.observe(seen("new", running));
  latency.observe(seen("new", running));
  const text = await metrics.render();
  const says = (line: string) => t.ok(text.split("\n").includes(line), line);
  says("kubelet_pod_start_sli_duration_seconds_sum 3");
  says("kubelet_pod_start_sli_duration_seconds_count 1");
  says("kubelet_pod_start_total_duration_seconds_sum 13");
  says("kubelet_pod_start_duration_seconds_sum 11");
});
