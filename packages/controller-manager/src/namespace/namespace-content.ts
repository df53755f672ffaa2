// Deletes all that a Namespace holds, one pass at a time, and reports what is left. Never touches the Namespace itself.

import { type Namespace, type Pod, pods } from "@picokube/api/core/v1";
import { isNotFound, StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { groupResourceName } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import { type DiscoveredResource, discover } from "../discovery.js";
import { type DeletionReport, podsEstimateSeconds, remainsEstimateSeconds } from "./namespace-plan.js";

/** A report that is still being written, and how long the remains may take. */
export interface ContentReport extends DeletionReport {
  readonly contentErrors: string[];
  readonly remaining: Map<string, number>;
  readonly finalizers: Map<string, number>;
  estimateSeconds: number;
}

/** One pass. Pods go first and alone (KEP-5080): the rest may be what makes their end an orderly one. */
export async function deleteContent({
  client,
  clock,
  namespace,
  signal,
}: {
  client: Client;
  clock: Clock;
  namespace: Namespace;
  signal: AbortSignal;
}): Promise<ContentReport> {
  const { preferred, failures } = await discover(client, signal);
  const report: ContentReport = {
    discoveryFailures: failures,
    contentErrors: [],
    remaining: new Map(),
    finalizers: new Map(),
    estimateSeconds: 0,
  };
  const contents = preferred.filter(({ resource, verbs }) => resource.namespaced && verbs.has("delete"));
  const isPods = ({ resource }: DiscoveredResource) => groupResourceName(resource) === groupResourceName(pods);
  const pass = (batch: readonly DiscoveredResource[]) =>
    Promise.all(batch.map((each) => deleteAll({ client, clock, namespace, discovered: each, report })));
  await pass(contents.filter(isPods));
  if (report.remaining.size > 0) return report;
  // Events are written until the very end: they go last.
  const isEvents = ({ resource }: DiscoveredResource) => resource.resource === "events";
  await pass(contents.filter((each) => !isPods(each) && !isEvents(each)));
  await pass(contents.filter(isEvents));
  return report;
}

async function deleteAll({
  client,
  clock,
  namespace,
  discovered: { resource, verbs },
  report,
}: {
  client: Client;
  clock: Clock;
  namespace: Namespace;
  discovered: DiscoveredResource;
  report: ContentReport;
}): Promise<void> {
  const { name } = namespace.metadata;
  const isPods = groupResourceName(resource) === groupResourceName(pods);
  const list = async () => {
    if (!verbs.has("list")) return [];
    return (await client.list<KubernetesObject>(resource, { namespace: name, metadataOnly: !isPods })).items;
  };
  try {
    const before = await list();
    if (before.length > 0 || !verbs.has("list")) await removeEach({ client, resource, verbs, namespace: name, before });
    if (before.length === 0) return;
    const left = await list();
    if (left.length === 0) return;
    const label = `${resource.resource}.${resource.group}`;
    report.remaining.set(label, left.length);
    let finalizerCount = 0;
    for (const finalizer of left.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
      finalizerCount += 1;
      report.finalizers.set(finalizer, (report.finalizers.get(finalizer) ?? 0) + 1);
    }
    const nowMs = clock.now();
    const deletedAtMs = Date.parse(namespace.metadata.deletionTimestamp ?? "") || nowMs;
    const graceSeconds = isPods ? podsEstimateSeconds(left as Pod[], { deletedAtMs, nowMs }) : 0;
    const estimateSeconds = remainsEstimateSeconds({ graceSeconds, finalizerCount });
    if (estimateSeconds === undefined) {
      const gvr = `${resource.group}/${resource.version}, Resource=${resource.resource}`;
      report.contentErrors.push(`unexpected items still remain in namespace: ${name} for gvr: ${gvr}`);
    } else report.estimateSeconds = Math.max(report.estimateSeconds, estimateSeconds);
  } catch (error) {
    // A resource that went away, or one that is not kept but only answered, holds nothing.
    if (error instanceof StatusError && (error.code === 404 || error.code === 405)) return;
    report.contentErrors.push((error as Error).message);
  }
}

async function removeEach({
  client,
  resource,
  verbs,
  namespace,
  before,
}: {
  client: Client;
  resource: DiscoveredResource["resource"];
  verbs: ReadonlySet<string>;
  namespace: string;
  before: readonly KubernetesObject[];
}): Promise<void> {
  const propagationPolicy = "Background";
  if (verbs.has("deletecollection")) return client.deleteCollection(resource, { namespace, propagationPolicy });
  for (const { metadata } of before)
    await client.delete(resource, { name: metadata.name, namespace }, { propagationPolicy }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}
