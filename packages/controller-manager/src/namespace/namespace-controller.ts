// Empties each Namespace that is being deleted, then lets it go.
// Watches: Namespaces, Pods. Writes: deletes everything in them; Namespace status and finalizers.

import { type Namespace, namespaces, type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import { ifThere } from "@picokube/client/if-there";
import type { ObjectKey } from "@picokube/client/informer";
import type { Dependencies } from "../dependencies.js";
import { type ContentReport, deleteContent } from "./namespace-content.js";
import { namespaceConditions, requeueMs } from "./namespace-plan.js";

const finalizer = "kubernetes";

/** Upstream's namespace-controller. */
export function namespaceController({ client, informers, clock, logger }: Dependencies): Controller {
  const namespaceInformer = informers.for(namespaces);
  const podInformer = informers.for(pods);
  // How often a Namespace was found not yet empty.
  const looks = new Map<ObjectKey, number>();
  namespaceInformer.addHandler({ delete: ({ metadata }) => looks.delete(metadata.name) });

  async function reconcile(key: ObjectKey, signal: AbortSignal): Promise<Result> {
    if (!namespaceInformer.get(key)?.metadata.deletionTimestamp) return;
    const namespace = await ifThere(client.get(namespaces, { name: key }));
    if (!namespace?.metadata.deletionTimestamp || !isHeld(namespace)) return;
    const terminating = await markTerminating(namespace);
    if (!terminating) return;
    const report = await deleteContent({ client, clock, namespace: terminating, signal });
    const updated = await updateConditions(terminating, report);
    if (report.contentErrors.length > 0 || report.discoveryFailures.size > 0)
      throw new Error(`deletion of namespace ${key} failed: ${failureOf(report)}`);
    if (report.remaining.size > 0) {
      const { estimateSeconds } = report;
      const count = looks.get(key) ?? 0;
      looks.set(key, count + 1);
      logger.v(4).info("Content remaining in namespace", { namespace: key, waitSeconds: estimateSeconds });
      return { requeueAfterMs: requeueMs({ estimateSeconds, looks: count }) };
    }
    if (!updated) return;
    const finalizers = (updated.spec?.finalizers ?? []).filter((name) => name !== finalizer);
    const finalized = { ...updated, spec: { ...updated.spec, finalizers } };
    await ifThere(client.update(namespaces, finalized, { subresource: "finalize" }));
  }

  async function markTerminating(namespace: Namespace): Promise<Namespace | undefined> {
    if (namespace.status?.phase === "Terminating") return namespace;
    const status = { ...namespace.status, phase: "Terminating" as const };
    return ifThere(client.update(namespaces, { ...namespace, status }, { subresource: "status" }));
  }

  async function updateConditions(namespace: Namespace, report: ContentReport): Promise<Namespace | undefined> {
    const current = namespace.status?.conditions;
    const conditions = namespaceConditions({ report, current, nowMs: clock.now() });
    if (semanticDeepEqual(conditions, current)) return namespace;
    const status = { ...namespace.status, conditions };
    return ifThere(client.update(namespaces, { ...namespace, status }, { subresource: "status" }));
  }

  // Our own changes of its conditions are no reason for one more pass.
  const ending: WatchSource = {
    informer: namespaceInformer,
    handler: (enqueue) => ({
      add: ({ metadata }: Namespace) => void (metadata.deletionTimestamp && enqueue(metadata.name)),
      update(previous: Namespace, { metadata, spec }: Namespace) {
        if (!metadata.deletionTimestamp) return;
        const same = previous.metadata.deletionTimestamp && semanticDeepEqual(previous.spec, spec);
        if (!same || previous.metadata.resourceVersion === metadata.resourceVersion) enqueue(metadata.name);
      },
    }),
  };
  // The last pod's end is the moment to go on, whatever was estimated.
  const lastPods: WatchSource = {
    informer: podInformer,
    handler: (enqueue) => ({
      delete({ metadata }: Pod) {
        const name = metadata.namespace!;
        if (!namespaceInformer.get(name)?.metadata.deletionTimestamp) return;
        if (podInformer.list(name).length === 0) enqueue(name);
      },
    }),
  };
  return { name: "namespace-controller", watches: [ending, lastPods], reconcile };
}

function isHeld({ spec }: Namespace): boolean {
  return (spec?.finalizers ?? []).includes(finalizer);
}

function failureOf({ discoveryFailures, contentErrors }: ContentReport): string {
  return [...[...discoveryFailures].map(([name, why]) => `${name}: ${why}`), ...contentErrors].join(", ");
}
