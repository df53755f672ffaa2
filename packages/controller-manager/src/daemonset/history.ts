// A DaemonSet's ControllerRevisions on the server: the current one is found or made, duplicates are merged, old ones
// given up (upstream: constructHistory, snapshot, cleanupHistory).

import { type ControllerRevision, controllerrevisions, type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import { computeHash } from "@picokube/api/hash";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import type { Informer } from "@picokube/client/informer";
import { claim } from "../claim.js";
import { byRevision, holdsTemplate, nextRevision, revisionData, revisionLabel } from "../controller-revisions.js";
import { claimable } from "../owned-pods.js";

export interface History {
  readonly current: ControllerRevision;
  readonly old: readonly ControllerRevision[];
}

/** The hash that pods of this revision carry. */
export function hashOf({ metadata }: ControllerRevision): string {
  return metadata.labels?.[revisionLabel] ?? metadata.name;
}

/** Brought up to date with the template: its revision is there and is the latest. */
export async function constructHistory({
  client,
  informer,
  daemonSet,
  pods: own,
}: {
  client: Client;
  informer: Informer<ControllerRevision>;
  daemonSet: DaemonSet;
  pods: readonly Pod[];
}): Promise<History> {
  const revisions = await claim({
    client,
    resource: controllerrevisions,
    owner: daemonSet,
    ownerResource: daemonsets,
    reference: controllerRef(daemonSet, daemonsets),
    selector: selectorFromLabelSelector(daemonSet.spec?.selector),
    candidates: claimable(informer, daemonSet),
  });
  const { template } = daemonSet.spec!;
  const equal = revisions.filter((revision) => holdsTemplate(revision, template)).sort(byRevision);
  const old = revisions.filter((revision) => !equal.includes(revision));
  const next = nextRevision(old);
  const latest = equal.pop();
  if (!latest) return { current: await snapshot(client, daemonSet, next), old };
  if (equal.length > 0) await mergeInto(client, { latest, duplicates: equal, pods: own });
  if (latest.revision >= next) return { current: latest, old };
  return { current: await client.update(controllerrevisions, { ...latest, revision: next }), old };
}

async function snapshot(client: Client, daemonSet: DaemonSet, revision: number): Promise<ControllerRevision> {
  const { template } = daemonSet.spec!;
  const { namespace, annotations } = daemonSet.metadata;
  const hash = computeHash(template, daemonSet.status?.collisionCount);
  const name = `${daemonSet.metadata.name}-${hash}`;
  try {
    return await client.create(controllerrevisions, {
      metadata: {
        name,
        namespace: namespace!,
        labels: { ...template.metadata?.labels, [revisionLabel]: hash },
        ...(annotations ? { annotations } : {}),
        ownerReferences: [controllerRef(daemonSet, daemonsets)],
      },
      data: revisionData(template) as unknown as NonNullable<ControllerRevision["data"]>,
      revision,
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const found = await client.get(controllerrevisions, { name, namespace: namespace! });
    // Ours of a moment ago, which the cache does not show yet.
    if (holdsTemplate(found, template)) return found;
    const collisionCount = (daemonSet.status?.collisionCount ?? 0) + 1;
    const status = { ...daemonSet.status!, collisionCount };
    await client.update(daemonsets, { ...daemonSet, status }, { subresource: "status" });
    throw new Error(`found a hash collision for DaemonSet ${namespace}/${daemonSet.metadata.name}`, { cause: error });
  }
}

// Pods first: what still carries a revision's hash must not lose it.
async function mergeInto(
  client: Client,
  {
    latest,
    duplicates,
    pods: own,
  }: { latest: ControllerRevision; duplicates: ControllerRevision[]; pods: readonly Pod[] },
): Promise<void> {
  const hashes = new Set(duplicates.map(hashOf));
  for (const { metadata } of own) {
    if (!hashes.has(metadata.labels?.[revisionLabel] ?? "")) continue;
    const labels = { [revisionLabel]: hashOf(latest) };
    await client.patch(pods, nameOf(metadata), { metadata: { labels } }, { type: "merge" });
  }
  for (const { metadata } of duplicates) await ifThere(client.delete(controllerrevisions, nameOf(metadata)));
}

/** Deletes the oldest that no pod lives on, down to the limit. */
export async function cleanupHistory(
  client: Client,
  { daemonSet, old, pods: own }: { daemonSet: DaemonSet; old: readonly ControllerRevision[]; pods: readonly Pod[] },
): Promise<void> {
  const live = new Set(own.map(({ metadata }) => metadata.labels?.[revisionLabel]));
  const surplus = old.length - (daemonSet.spec?.revisionHistoryLimit ?? 10);
  const dead = [...old].sort(byRevision).filter((revision) => !live.has(hashOf(revision)));
  for (const { metadata } of dead.slice(0, Math.max(0, surplus)))
    await ifThere(client.delete(controllerrevisions, nameOf(metadata)));
}

function nameOf({ name, namespace }: { name: string; namespace?: string }): { name: string; namespace: string } {
  return { name, namespace: namespace! };
}
