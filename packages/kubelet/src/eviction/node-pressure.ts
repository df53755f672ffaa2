// Puts eviction and image collection together with what they watch and free. Holds no behaviour of its own.

import type { EventRecorder } from "@picokube/client/event-recorder";
import { podsCgroup } from "../cgroups/pod-cgroup.js";
import { createImageGc, type ImageGc } from "../images/image-gc.js";
import { fileSystem, sameFileSystem } from "../node/machine.js";
import { removeUnusedContainers } from "../pods/container-gc.js";
import type { PodContext } from "../pods/pod-context.js";
import type { PodManager } from "../pods/pod-manager.js";
import { createEvictionManager, type EvictionManager } from "./eviction-manager.js";
import { measurePods } from "./measure-pods.js";
import { observeNode } from "./observe-node.js";

export interface NodePressureOptions {
  readonly context: PodContext;
  readonly manager: PodManager;
  readonly recorder: EventRecorder;
  readonly keepLocallyBuiltImages: boolean;
}

/** Both parts, connected but not running; asks the engine where its images lie. */
export async function createNodePressure(
  options: NodePressureOptions,
): Promise<{ eviction: EvictionManager; imageGc: ImageGc }> {
  const { context, manager, recorder } = options;
  const { settings, runtime, clock, logger } = context;
  const { nodeName, rootDir } = settings;
  const imageDir = await runtime.imageDirectory();
  const imageGc = createImageGc({
    nodeName,
    policy: {
      highThresholdPercent: settings.imageGcHighThresholdPercent,
      lowThresholdPercent: settings.imageGcLowThresholdPercent,
      minAgeMs: settings.imageMinimumGcAgeMs,
      maxAgeMs: settings.imageMaximumGcAgeMs,
    },
    runtime,
    disk: () => fileSystem(imageDir),
    keepLocallyBuiltImages: options.keepLocallyBuiltImages,
    events: recorder,
    clock,
    logger,
  });
  const removeContainers = () => {
    const living = new Set(manager.active().map(({ metadata }) => metadata.uid));
    return removeUnusedContainers(context, (uid) => living.has(uid));
  };
  const places = { rootDir, imageDir, podsCgroup: context.cgroups && podsCgroup(context.cgroups) };
  const eviction = createEvictionManager({
    nodeName,
    thresholds: settings.evictionThresholds,
    pressureTransitionPeriodMs: settings.evictionPressureTransitionPeriodMs,
    maxPodGracePeriodSeconds: settings.evictionMaxPodGracePeriodSeconds,
    localStorageCapacityIsolation: settings.localStorageCapacityIsolation,
    observe: () => observeNode(places),
    measure: (pods, what) => measurePods(pods, { runtime, lookup: manager, rootDir }, what),
    dedicatedImageFs: async () => !(await sameFileSystem(rootDir, imageDir)),
    reclaim: [removeContainers, () => imageGc.deleteUnusedImages()],
    pods: manager,
    onEvicted: (signal) => context.instruments.evicted(signal),
    events: recorder,
    podEvents: context.events,
    clock,
    logger,
  });
  return { eviction, imageGc };
}
