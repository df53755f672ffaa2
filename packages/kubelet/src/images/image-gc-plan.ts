// Which unused images go, and in which order: upstream's image_gc_manager.go without its loop. Pure.

/** What is known of an image: when it was first seen, and last seen in use; 0 for before this kubelet looked. */
export interface ImageRecord {
  readonly id: string;
  readonly sizeBytes: number;
  readonly firstDetectedMs: number;
  readonly lastUsedMs: number;
  /** Never collected: the sandbox's, and what no registry could give again. */
  readonly pinned: boolean;
}

export interface ImageGcPolicy {
  readonly highThresholdPercent: number;
  readonly lowThresholdPercent: number;
  readonly minAgeMs: number;
  /** 0: no image is too old. */
  readonly maxAgeMs: number;
}

/** What the images are now, out of what they were. nowMs counts as the last use of those in use. */
export function recordImages(
  known: ReadonlyMap<string, ImageRecord>,
  found: readonly { readonly id: string; readonly sizeBytes: number; readonly pinned: boolean }[],
  { inUse, detectedMs, nowMs }: { inUse: ReadonlySet<string>; detectedMs: number; nowMs: number },
): Map<string, ImageRecord> {
  return new Map(
    found.map((image) => {
      const old = known.get(image.id);
      const record: ImageRecord = {
        ...image,
        firstDetectedMs: old?.firstDetectedMs ?? detectedMs,
        lastUsedMs: inUse.has(image.id) ? nowMs : (old?.lastUsedMs ?? 0),
      };
      return [image.id, record];
    }),
  );
}

/** Those that may go at all, the longest unused first. */
export function inEvictionOrder(records: Iterable<ImageRecord>, nowMs: number): ImageRecord[] {
  return [...records]
    .filter(({ pinned, lastUsedMs }) => !pinned && lastUsedMs < nowMs)
    .sort((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstDetectedMs - b.firstDetectedMs);
}

/** Whether an image is old enough to go: one just pulled is about to be used. */
export function isCollectable({ firstDetectedMs }: ImageRecord, { minAgeMs }: ImageGcPolicy, nowMs: number): boolean {
  return nowMs - firstDetectedMs >= minAgeMs;
}

/** Whether an image has been unused for too long; only told once the kubelet has watched for that long. */
export function isTooOld(
  { lastUsedMs }: ImageRecord,
  { maxAgeMs }: ImageGcPolicy,
  { beganMs, nowMs }: { beganMs: number; nowMs: number },
): boolean {
  return maxAgeMs > 0 && nowMs - beganMs > maxAgeMs && nowMs - lastUsedMs > maxAgeMs;
}

/** Bytes to free to come down to the low threshold; 0 below the high one. */
export function bytesToFree(
  { capacityBytes, availableBytes }: { capacityBytes: number; availableBytes: number },
  { highThresholdPercent, lowThresholdPercent }: ImageGcPolicy,
): number {
  const available = Math.min(availableBytes, capacityBytes);
  const usagePercent = 100 - Math.floor((available * 100) / capacityBytes);
  if (usagePercent < highThresholdPercent) return 0;
  return Math.floor((capacityBytes * (100 - lowThresholdPercent)) / 100) - available;
}
