// A StatefulSet's ControllerRevisions on the server: found, adopted, made, brought forward and given up. Upstream's
// history and getStatefulSetRevisions.

import { type ControllerRevision, controllerrevisions, type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import type { Pod } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isAlreadyExists } from "@picokube/api/errors";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import type { Informer } from "@picokube/client/informer";
import { claim } from "../claim.js";
import {
  byRevision,
  hashRevision,
  holdsTemplate,
  nextRevision,
  revisionData,
  revisionHashLabel,
  revisionName,
} from "../controller-revisions.js";
import { claimable } from "../owned-pods.js";
import { revisionOf } from "./identity.js";

export interface SetRevisions {
  /** What the pods come from. */
  readonly current: ControllerRevision;
  /** What they go to. */
  readonly update: ControllerRevision;
  readonly collisionCount: number;
}

/** All of the set's, oldest first; orphans that it selects are adopted. */
export async function ownRevisions({
  client,
  informer,
  set,
}: {
  client: Client;
  informer: Informer<ControllerRevision>;
  set: StatefulSet;
}): Promise<ControllerRevision[]> {
  const selector = selectorFromLabelSelector(set.spec?.selector);
  const revisions = await claim({
    client,
    resource: controllerrevisions,
    owner: set,
    ownerResource: statefulsets,
    reference: controllerRef(set, statefulsets),
    selector,
    // One that the selector no longer matches stays the set's: it is never released.
    candidates: claimable(informer, set).filter(({ metadata }) => selector.matches(metadata.labels)),
  });
  return revisions.sort(byRevision);
}

/** The set's revisions as its template is now; made or brought forward when that is new. A set that ends gets no new one: undefined. */
export async function currentRevisions(
  client: Client,
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
): Promise<SetRevisions | undefined> {
  const equal = revisions.filter((revision) => holdsTemplate(revision, set.spec!.template)).at(-1);
  let collisionCount = set.status?.collisionCount ?? 0;
  let update = equal;
  if (set.metadata.deletionTimestamp) {
    if (!update) return undefined;
  } else if (!equal) {
    ({ revision: update, collisionCount } = await createRevision(client, set, nextRevision(revisions)));
  } else if (equal !== revisions.at(-1) && !semanticDeepEqual(equal.data, revisions.at(-1)!.data)) {
    // A template that was there before: a rollback.
    update = await client.update(controllerrevisions, { ...equal, revision: nextRevision(revisions) });
  }
  const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update!;
  return { current, update: update!, collisionCount };
}

async function createRevision(
  client: Client,
  set: StatefulSet,
  revision: number,
): Promise<{ revision: ControllerRevision; collisionCount: number }> {
  const template = set.spec!.template;
  const data = revisionData(template);
  const { namespace, annotations } = set.metadata;
  for (let collisionCount = set.status?.collisionCount ?? 0; ; collisionCount++) {
    const hash = hashRevision(data, collisionCount);
    const name = revisionName(set.metadata.name, hash);
    try {
      const created = await client.create(controllerrevisions, {
        metadata: {
          name,
          namespace: namespace!,
          labels: { ...template.metadata?.labels, [revisionHashLabel]: hash },
          ...(annotations ? { annotations } : {}),
          ownerReferences: [controllerRef(set, statefulsets)],
        },
        data: data as unknown as NonNullable<ControllerRevision["data"]>,
        revision,
      });
      return { revision: created, collisionCount };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const found = await client.get(controllerrevisions, { name, namespace: namespace! });
      if (holdsTemplate(found, template)) return { revision: found, collisionCount };
    }
  }
}

/** Deletes the oldest that neither the set nor a pod lives on, down to the limit. Upstream's truncateHistory. */
export async function truncateHistory(
  client: Client,
  {
    set,
    pods,
    revisions,
    live,
  }: { set: StatefulSet; pods: readonly Pod[]; revisions: readonly ControllerRevision[]; live: SetRevisions },
): Promise<void> {
  const names = new Set([live.current.metadata.name, live.update.metadata.name, ...pods.map(revisionOf)]);
  const dead = revisions.filter(({ metadata }) => !names.has(metadata.name));
  const limit = set.spec?.revisionHistoryLimit ?? 10;
  for (const { metadata } of dead.slice(0, Math.max(0, dead.length - limit)))
    await ifThere(client.delete(controllerrevisions, { name: metadata.name, namespace: metadata.namespace! }));
}
