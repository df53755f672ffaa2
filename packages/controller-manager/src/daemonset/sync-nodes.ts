// Makes and ends a DaemonSet's pods as planned, and expects to see it. Decides nothing (upstream: syncNodes).

import { type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { isNotFound } from "@picokube/api/errors";
import { controllerRef } from "@picokube/api/owner";
import type { Expectations } from "@picokube/client/expectations";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { isNamespaceTerminating, type PodControl, slowStart } from "../pod-control.js";
import { daemonTemplate } from "./daemon-pod.js";
import type { DaemonPlan } from "./daemonset-plan.js";

const burstReplicas = 250;

export interface NodeWrites {
  readonly key: ObjectKey;
  readonly daemonSet: DaemonSet;
  readonly hash: string;
  readonly podControl: PodControl;
  readonly expectations: Expectations;
}

/** At most 250 of each kind; throws the first failure when all have been tried. */
export async function syncNodes(
  { key, daemonSet, hash, podControl, expectations }: NodeWrites,
  plan: DaemonPlan,
): Promise<void> {
  const nodeNames = plan.create.slice(0, burstReplicas);
  const doomed = plan.delete.slice(0, burstReplicas);
  expectations.expect(key, { creations: nodeNames.length, deletions: doomed.map(keyOf) });
  const reference = controllerRef(daemonSet, daemonsets);
  const left = [...nodeNames];
  const { skipped, error } = await slowStart(nodeNames.length, async () => {
    const template = daemonTemplate(daemonSet, { hash, nodeName: left.shift()! });
    try {
      await podControl.create({ owner: daemonSet, reference, template });
    } catch (cause) {
      expectations.creationObserved(key);
      // All that is made in a namespace that ends fails: there is nothing to try again.
      if (!isNamespaceTerminating(cause)) throw cause;
    }
  });
  for (let i = 0; i < skipped; i++) expectations.creationObserved(key);
  const results = await Promise.allSettled(
    doomed.map(async (pod) => {
      try {
        await podControl.delete({ owner: daemonSet, pod });
      } catch (cause) {
        expectations.deletionObserved(key, keyOf(pod));
        if (!isNotFound(cause)) throw cause;
      }
    }),
  );
  const failed = results.find((result) => result.status === "rejected")?.reason as unknown;
  if (error || failed) throw error ?? failed;
}
