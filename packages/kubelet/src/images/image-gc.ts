// Removes images that no container uses: when their disk is fuller than the high threshold, when they have been unused
// for too long, or when eviction asks for it. Mirrors upstream's image_gc_manager.go. Pulls nothing.

import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { ImageInfo, Runtime } from "../cri/runtime.js";
import {
  bytesToFree,
  type ImageGcPolicy,
  type ImageRecord,
  inEvictionOrder,
  isCollectable,
  isTooOld,
  recordImages,
} from "./image-gc-plan.js";

const periodMs = 300_000;
const everythingBytes = Number.MAX_SAFE_INTEGER;

export interface ImageGc {
  /** All that no container uses and that is old enough. */
  deleteUnusedImages(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export interface ImageGcOptions {
  readonly nodeName: string;
  readonly policy: ImageGcPolicy;
  readonly runtime: Pick<Runtime, "listImages" | "imagesInUse" | "removeImage">;
  /** Of the file system that holds the images. */
  readonly disk: () => Promise<{ capacityBytes: number; availableBytes: number }>;
  /** Images that no registry gave are kept: they could not be had again. */
  readonly keepLocallyBuiltImages: boolean;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes the one ImageGc of a kubelet. */
export function createImageGc(options: ImageGcOptions): ImageGc {
  const { policy, runtime, clock, logger } = options;
  const node = { apiVersion: "v1", kind: "Node", name: options.nodeName, uid: options.nodeName };
  const beganMs = clock.now();
  let records = new Map<string, ImageRecord>();
  let initialized = false;

  const warn = (reason: string, message: string) => options.events.record(node, { type: "Warning", reason, message });
  const isPinned = ({ pinned, origin }: ImageInfo) =>
    pinned === true || (options.keepLocallyBuiltImages && origin !== "registry");

  /** What was there before the kubelet is as old as can be. */
  async function detect(nowMs: number): Promise<void> {
    const [images, inUse] = await Promise.all([runtime.listImages(), runtime.imagesInUse()]);
    const found = images.map((image) => ({ id: image.id, sizeBytes: image.sizeBytes, pinned: isPinned(image) }));
    records = recordImages(records, found, { inUse, detectedMs: initialized ? nowMs : 0, nowMs });
    initialized = true;
  }

  async function free({ id, sizeBytes }: ImageRecord): Promise<void> {
    logger.info("Removing image to free bytes", { imageID: id, size: sizeBytes });
    await runtime.removeImage(id);
    records.delete(id);
  }

  /** Bytes that were freed; an image that cannot go holds up no other. */
  async function freeSpace(wantedBytes: number, nowMs: number): Promise<number> {
    const failures: string[] = [];
    let freedBytes = 0;
    for (const image of inEvictionOrder(records.values(), nowMs)) {
      if (freedBytes >= wantedBytes) break;
      if (!isCollectable(image, policy, nowMs)) continue;
      try {
        await free(image);
        freedBytes += image.sizeBytes;
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
    if (failures.length === 0) return freedBytes;
    throw new Error(
      `wanted to free ${wantedBytes} bytes, but freed ${freedBytes} bytes space with errors in image deletion: ${failures.join(", ")}`,
    );
  }

  async function freeOldImages(nowMs: number): Promise<void> {
    for (const image of inEvictionOrder(records.values(), nowMs)) {
      if (isTooOld(image, policy, { beganMs, nowMs }) && isCollectable(image, policy, nowMs)) await free(image);
    }
  }

  async function collect(): Promise<void> {
    const nowMs = clock.now();
    await detect(nowMs);
    await freeOldImages(nowMs);
    const disk = await options.disk();
    if (disk.capacityBytes === 0) {
      const message = "invalid capacity 0 on image filesystem";
      warn("InvalidDiskCapacity", message);
      throw new Error(message);
    }
    const wantedBytes = bytesToFree(disk, policy);
    if (wantedBytes <= 0) return;
    logger.info(
      "Disk usage on image filesystem is over the high threshold, trying to free bytes down to the low threshold",
      {
        highThreshold: policy.highThresholdPercent,
        amountToFree: wantedBytes,
        lowThreshold: policy.lowThresholdPercent,
      },
    );
    const freedBytes = await freeSpace(wantedBytes, nowMs);
    if (freedBytes >= wantedBytes) return;
    const message = `Failed to garbage collect required amount of images. Attempted to free ${wantedBytes} bytes, but only found ${freedBytes} bytes eligible to free.`;
    warn("FreeDiskSpaceFailed", message);
    throw new Error(message);
  }

  return {
    async deleteUnusedImages() {
      logger.info("Attempting to delete unused images");
      const nowMs = clock.now();
      await detect(nowMs);
      await freeSpace(everythingBytes, nowMs);
    },
    async run(signal) {
      if (policy.highThresholdPercent === 100 && policy.maxAgeMs === 0) {
        logger.v(2).info("ImageGCHighThresholdPercent is set 100 and ImageMaximumGCAge is 0, disable image GC");
        return;
      }
      let failedBefore = false;
      while (!signal.aborted) {
        try {
          await collect();
          failedBefore = false;
        } catch (err) {
          if (failedBefore) warn("ImageGCFailed", (err as Error).message);
          logger.error(
            failedBefore
              ? "Image garbage collection failed multiple times in a row"
              : "Image garbage collection failed once. Stats initialization may not have completed yet",
            { err },
          );
          failedBefore = true;
        }
        await clock.sleep(periodMs, signal).catch(() => undefined);
      }
    },
  };
}
