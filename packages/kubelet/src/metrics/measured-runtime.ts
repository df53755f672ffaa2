// The runtime with every operation counted and timed under upstream's names (instrumented_services.go). Changes nothing
// of what is asked and answered.

import type { Clock } from "@picokube/component-base/clock";
import { exponentialBuckets, type Metrics } from "@picokube/component-base/metrics";
import type { Runtime, SandboxConfig } from "../cri/runtime.js";

/** Upstream's operation_type of each; what is not here is not told. */
const operations: Partial<Record<keyof Runtime, string>> = {
  version: "version",
  runSandbox: "run_podsandbox",
  stopSandbox: "stop_podsandbox",
  removeSandbox: "remove_podsandbox",
  sandboxStatus: "podsandbox_status",
  listSandboxes: "list_podsandbox",
  createContainer: "create_container",
  startContainer: "start_container",
  stopContainer: "stop_container",
  removeContainer: "remove_container",
  updateContainer: "update_container",
  listContainers: "list_containers",
  containerStatus: "container_status",
  execSync: "exec_sync",
  exec: "exec",
  attach: "attach",
  portForward: "port_forward",
  imageStatus: "image_status",
  listImages: "list_images",
  pullImage: "pull_image",
  removeImage: "remove_image",
  stats: "list_container_stats",
};

const mebibyte = 1024 * 1024;
const imageSizes: readonly (readonly [fromBytes: number, label: string])[] = [
  [100 * 1024 * mebibyte, "GT100GB"],
  [60 * 1024 * mebibyte, "60GB-100GB"],
  [40 * 1024 * mebibyte, "40GB-60GB"],
  [30 * 1024 * mebibyte, "30GB-40GB"],
  [20 * 1024 * mebibyte, "20GB-30GB"],
  [10 * 1024 * mebibyte, "10GB-20GB"],
  [5 * 1024 * mebibyte, "5GB-10GB"],
  [1024 * mebibyte, "1GB-5GB"],
  [500 * mebibyte, "500MB-1GB"],
  [100 * mebibyte, "100MB-500MB"],
  [10 * mebibyte, "10MB-100MB"],
  [0, "0-10MB"],
];

/** Upstream's GetImageSizeBucket. */
export function imageSizeBucket(sizeBytes: number): string {
  return imageSizes.find(([fromBytes]) => sizeBytes >= fromBytes)?.[1] ?? "N/A";
}

const pullBuckets = [1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];

function registered(metrics: Metrics) {
  return {
    total: metrics.counter({
      name: "kubelet_runtime_operations_total",
      help: "[ALPHA] Cumulative number of runtime operations by operation type.",
      labels: ["operation_type"],
    }),
    errors: metrics.counter({
      name: "kubelet_runtime_operations_errors_total",
      help: "[ALPHA] Cumulative number of runtime operation errors by operation type.",
      labels: ["operation_type"],
    }),
    duration: metrics.histogram({
      name: "kubelet_runtime_operations_duration_seconds",
      help: "[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.",
      labels: ["operation_type"],
      buckets: exponentialBuckets(0.005, 2.5, 14),
    }),
    sandboxDuration: metrics.histogram({
      name: "kubelet_run_podsandbox_duration_seconds",
      help: "[ALPHA] Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.",
      labels: ["runtime_handler"],
    }),
    sandboxErrors: metrics.counter({
      name: "kubelet_run_podsandbox_errors_total",
      help: "[ALPHA] Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.",
      labels: ["runtime_handler"],
    }),
    startedPods: metrics.counter({
      name: "kubelet_started_pods_total",
      help: "[ALPHA] Cumulative number of pods started",
    }),
    startedPodsErrors: metrics.counter({
      name: "kubelet_started_pods_errors_total",
      help: "[ALPHA] Cumulative number of errors when starting pods",
    }),
    pullDuration: metrics.histogram({
      name: "kubelet_image_pull_duration_seconds",
      help: "[ALPHA] Duration in seconds to pull an image.",
      labels: ["image_size_in_bytes"],
      buckets: pullBuckets,
    }),
  };
}

type Operation = (...args: never[]) => Promise<unknown>;

/** The same runtime, measured. */
export function measuredRuntime(runtime: Runtime, metrics: Metrics, clock: Clock): Runtime {
  const told = registered(metrics);

  async function timed<T>(operation_type: string, work: () => Promise<T>): Promise<T> {
    const beganMs = clock.now();
    told.total.inc({ operation_type });
    try {
      return await work();
    } catch (error) {
      told.errors.inc({ operation_type });
      throw error;
    } finally {
      told.duration.observe({ operation_type }, (clock.now() - beganMs) / 1000);
    }
  }

  async function runSandbox(config: SandboxConfig): Promise<string> {
    const labels = { runtime_handler: config.runtimeHandler ?? "" };
    const beganMs = clock.now();
    told.startedPods.inc();
    try {
      return await timed("run_podsandbox", () => runtime.runSandbox(config));
    } catch (error) {
      told.startedPodsErrors.inc();
      told.sandboxErrors.inc(labels);
      throw error;
    } finally {
      told.sandboxDuration.observe(labels, (clock.now() - beganMs) / 1000);
    }
  }

  const pullImage: Runtime["pullImage"] = async (image, options) => {
    const beganMs = clock.now();
    const id = await timed("pull_image", () => runtime.pullImage(image, options));
    const seconds = (clock.now() - beganMs) / 1000;
    const pulled = await runtime.imageStatus(image).catch(() => undefined);
    if (pulled) told.pullDuration.observe({ image_size_in_bytes: imageSizeBucket(pulled.sizeBytes) }, seconds);
    return id;
  };

  const measured = Object.entries(operations).map(([name, operation]) => {
    const own = runtime[name as keyof Runtime] as Operation;
    return [name, (...args: never[]) => timed(operation, () => own.apply(runtime, args))] as const;
  });
  return { ...runtime, ...(Object.fromEntries(measured) as unknown as Partial<Runtime>), runSandbox, pullImage };
}
