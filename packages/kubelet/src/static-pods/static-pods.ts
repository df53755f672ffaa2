// Pods that no API server gives: follows one source of manifests, hands its pods to the manager, and keeps a mirror of each
// in the API. Knows nothing of files and URLs.

import type { Pod } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { MirrorPods } from "./mirror-pods.js";
import { staticPod } from "./static-pod.js";

export interface StaticPodSource {
  readonly kind: "file" | "http";
  /** What there is by key; undefined when it cannot be told: then what was stays. */
  read(): Promise<ReadonlyMap<string, { readonly path: string; readonly document: unknown }> | undefined>;
  /** Tells of changes between two looks until the returned function is called; undefined where nobody tells. */
  watch?(onChange: () => void): (() => void) | undefined;
}

/** Between the news of a change and the look at it: an editor empties a file before it writes it. */
const quietMs = 50;
/** Until a mirror that could not be made is tried again. */
const retryMs = 1_000;

export interface StaticPodsOptions {
  readonly source: StaticPodSource;
  readonly mirrors: MirrorPods;
  readonly nodeName: string;
  readonly periodMs: number;
  /** Called with each pod that appeared or changed, and with undefined for one that went. */
  readonly onPod: (uid: string, pod: Pod | undefined) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows the source until the signal aborts. */
export async function runStaticPods(options: StaticPodsOptions, signal: AbortSignal): Promise<void> {
  const { source, mirrors, nodeName, periodMs, onPod, clock, logger } = options;
  const known = new Map<string, { document: unknown; pod: Pod }>();

  function take(key: string, { path, document }: { path: string; document: unknown }): void {
    const before = known.get(key);
    if (before?.document === document) return;
    const seen = new Date(clock.now()).toISOString();
    const pod = staticPod(document, { source: source.kind, path, nodeName, seen });
    const isSame = before?.pod.metadata.uid === pod.metadata.uid;
    known.set(key, { document, pod: isSame ? before.pod : pod });
    if (isSame) return;
    if (before) onPod(before.pod.metadata.uid, undefined);
    onPod(pod.metadata.uid, pod);
  }

  /** Resolves to whether every pod has its mirror. */
  async function follow(): Promise<boolean> {
    const present = await source.read();
    for (const [key, manifest] of present ?? []) {
      try {
        take(key, manifest);
      } catch (err) {
        logger.error("Could not process manifest", { path: manifest.path, err });
      }
    }
    for (const [key, { pod }] of known) {
      if (!present || present.has(key)) continue;
      known.delete(key);
      onPod(pod.metadata.uid, undefined);
      await mirrors.remove(pod).catch((err: unknown) => logger.info("Cannot delete a mirror pod", { err }));
    }
    let isMirrored = true;
    for (const { pod } of known.values())
      await mirrors.ensure(pod).catch((err: unknown) => {
        isMirrored = false;
        logger.v(2).info("Cannot create a mirror pod yet", { err });
      });
    return isMirrored;
  }

  while (!signal.aborted) {
    const changed = new AbortController();
    const onChange = () => changed.abort();
    const watches = [source.watch?.(onChange), mirrors.watch(onChange)];
    const waitMs = (await follow()) ? periodMs : Math.min(periodMs, retryMs);
    await clock.sleep(waitMs, AbortSignal.any([signal, changed.signal])).catch(() => undefined);
    for (const unwatch of watches) unwatch?.();
    if (changed.signal.aborted) await clock.sleep(quietMs, signal).catch(() => undefined);
  }
}
