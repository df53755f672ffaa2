// What every verb's handler needs, and the checks that several of them share.

import { type FieldError, invalid, StatusError } from "@picokube/api/errors";
import { notSupported } from "@picokube/api/validation/field-error";
import type { Clock } from "@picokube/component-base/clock";
import type { Store } from "@picokube/store/store";
import type { RequestContext } from "../registry/resource-definition.js";
import type { CacheFeed } from "../storage/cache-feed.js";
import type { CacheItem } from "../storage/cache-item.js";
import type { AdmissionChain } from "../storage/resource-writer.js";
import type { ServedRegistry, ServedStorage } from "../storage/storage-registry.js";
import type { Exchange } from "./exchange.js";

export interface HandlerDependencies {
  readonly registry: ServedRegistry;
  readonly store: Store;
  readonly feed: CacheFeed;
  readonly admission: AdmissionChain | undefined;
  /** A write that may create what is not there: throws 403 unless the user may create it too. */
  authorizeCreate(exchange: Exchange): Promise<void>;
  readonly clock: Clock;
  /** Watches end at a random time between this and twice it, unless the client asks for another. */
  readonly minRequestTimeoutMs: number;
  /** Aborts when the server shuts down: watches end. */
  readonly shutdown: AbortSignal;
}

/** Answers at once where the answer is there. */
export type Handler = (
  exchange: Exchange,
  target: ServedStorage,
  dependencies: HandlerDependencies,
) => Promise<void> | void;

/** What strategies and connect handlers may know of this request. */
export function contextOf(
  exchange: Exchange,
  { registry, clock }: HandlerDependencies,
  dryRun: boolean,
): RequestContext {
  return {
    user: exchange.user,
    dryRun,
    storage: registry,
    now: () => clock.now(),
    warn: (message) => exchange.warn(message),
    annotate: (key, value) => exchange.annotate?.(key, value),
  };
}

/** True for dryRun=All; throws 422 for any other word. kind is the options' kind: "DeleteOptions". */
export function dryRunOf(values: readonly string[], kind: string): boolean {
  const faults = dryRunFaults(values);
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", faults);
  return values.includes("All");
}

/** What is wrong with the words of dryRun. */
export function dryRunFaults(values: readonly string[]): FieldError[] {
  const isWrong = values.some((value) => value !== "All" && value !== "");
  return isWrong ? [notSupported("dryRun", values, ["All"])] : [];
}

/** The named object's item; throws 404. */
export function currentItem({ served }: ServedStorage, { info }: Exchange): CacheItem {
  const item = served.cache.get(served.keyOf(info.namespace, info.name));
  if (!item) throw served.absent(info.namespace, info.name);
  return item;
}

/** Waits until the caches are at least as new as the client asks; throws 504 when that revision does not exist. */
export async function waitForRevision(feed: CacheFeed, revision: number, clock: Clock): Promise<void> {
  if (feed.revision >= revision) return;
  const waitMs = 3000;
  await new Promise<void>((resolve) => {
    const done = () => {
      if (feed.revision < revision) return;
      stop();
    };
    const end = feed.onProgress(done);
    const timer = clock.after(waitMs, () => stop());
    function stop(): void {
      end();
      timer.cancel();
      resolve();
    }
  });
  if (feed.revision >= revision) return;
  throw new StatusError({
    code: 504,
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${revision}, current: ${feed.revision}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}
