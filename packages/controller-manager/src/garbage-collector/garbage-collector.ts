// Deletes what its owners left behind: in the background, in the foreground, or lets it go as an orphan.
// Watches: metadata of every resource that can be listed, watched and deleted. Writes: deletes, owner references, finalizers.

import { isNotFound } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { parseApiVersion, type Resource } from "@picokube/api/resource";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { Dependencies } from "../dependencies.js";
import { type Discovery, discover } from "../discovery.js";
import { judge, type OwnerState, stateOfOwner } from "./delete-plan.js";
import { blockingDependents, Graph, type GraphNode, type Identity, identityOf, identityText } from "./graph.js";
import { liveDependents } from "./live-dependents.js";
import { collectable, Monitors } from "./monitors.js";
import { ownerWrites, type Target } from "./owner-writes.js";

const rediscoverMs = 30_000;
const newKindMs = 1000;
const unknownKindMs = 10_000;
const maxSyncMs = 30_000;
const pollMs = 50;
const maxAbsent = 500;

/** Upstream's garbage-collector-controller; its queue holds uids. */
export function garbageCollector({ client, clock, logger, recorder: recorderOf }: Dependencies): Controller {
  const recorder = recorderOf("garbage-collector-controller");
  const writes = ownerWrites(client);
  const absentOwners = new Set<string>();
  let look: (uid: string) => void = () => {};
  let discovery: Discovery | undefined;
  let openGate: () => void = () => {};
  // Before all is seen once, an owner that is merely not seen yet would cost a request.
  const ready = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  const graph = new Graph({ look: (uid) => look(uid), invalidOwner });

  async function reconcile(uid: string, signal: AbortSignal): Promise<Result> {
    await ready;
    if (signal.aborted) return;
    const node = graph.get(uid);
    if (!node) return;
    if (node.resource === undefined) return verifyOwner(node);
    const target = targetOf(node, node.resource);
    if (node.orphaning) return orphanDependents(node, target, signal);
    if (node.deletingDependents) return finishForeground(node, target);
    if (node.deleting || node.owners.length === 0) return;
    const item = await writes.read(target);
    const references = item?.metadata.ownerReferences ?? [];
    // Deleted a moment ago, most likely by us: what is left to do follows when that is seen.
    if (!item || item.metadata.deletionTimestamp || references.length === 0) return;
    const owners: { uid: string; state: OwnerState }[] = [];
    for (const reference of references) {
      const state = await stateOf(reference, item.metadata.namespace);
      if (state === "unknown kind") return { requeueAfterMs: unknownKindMs };
      if (state === "impossible") return;
      owners.push({ uid: reference.uid, state });
    }
    const verdict = judge({ finalizers: item.metadata.finalizers, owners, dependents: [...node.dependents] });
    if (verdict.act === "dropOwners") await writes.dropOwners(target, verdict.uids);
    if (verdict.act !== "delete") return;
    if (verdict.unblock) await writes.unblockOwners(target);
    const current = verdict.unblock ? await writes.read(target) : item;
    if (!current) return;
    await writes.remove(target, current, verdict.policy);
    logger.v(2).info("Deleting item", { item: identityText(node.identity), propagationPolicy: verdict.policy });
  }

  // Heard of in a reference, never seen: it is there and will be seen, or there is no such object.
  async function verifyOwner(node: GraphNode): Promise<Result> {
    if (node.dependents.size === 0) return;
    const found = await findOwner(node.identity);
    if (found === "unknown kind") return { requeueAfterMs: unknownKindMs };
    if (found === undefined) graph.absent(node.identity.uid);
    else if (found !== "impossible" && graph.get(node.identity.uid)?.resource === undefined)
      return { requeueAfterMs: newKindMs };
  }

  async function stateOf(
    reference: OwnerReference,
    namespace: string | undefined,
  ): Promise<OwnerState | "impossible" | "unknown kind"> {
    const found = await findOwner(identityOf(reference, namespace));
    if (found === undefined) return "dangling";
    return typeof found === "string" ? found : stateOfOwner(found.metadata);
  }

  async function findOwner(identity: Identity): Promise<KubernetesObject | undefined | "impossible" | "unknown kind"> {
    const text = identityText(identity);
    if (absentOwners.has(text)) return undefined;
    const { apiVersion, kind, name, namespace, uid } = identity;
    const resource = discovery?.resourceOfKind({ ...parseApiVersion(apiVersion), kind });
    if (!resource) {
      logger.v(5).info("Unable to get REST mapping", { item: text });
      return "unknown kind";
    }
    // A cluster-scoped object cannot be owned by one of a namespace: nothing is done on such a reference's word.
    if (resource.namespaced && namespace === undefined) return "impossible";
    const where = resource.namespaced && namespace !== undefined ? { name, namespace } : { name };
    try {
      const owner = await client.get<KubernetesObject>(resource, where);
      if (owner.metadata.uid === uid) return owner;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    absentOwners.add(text);
    if (absentOwners.size > maxAbsent) absentOwners.delete(absentOwners.values().next().value!);
    return undefined;
  }

  async function finishForeground(node: GraphNode, target: Target): Promise<void> {
    const blocking = blockingDependents(node);
    if (blocking.length === 0) return writes.removeFinalizer(target, "foregroundDeletion");
    for (const dependent of blocking) if (!dependent.deletingDependents) look(dependent.identity.uid);
  }

  // Upstream leaves out what it has not heard of yet, and deletes it later: here the server is asked too.
  async function orphanDependents(node: GraphNode, target: Target, signal: AbortSignal): Promise<void> {
    const dependents = new Map<string, Target>();
    for (const dependent of node.dependents)
      if (dependent.resource) dependents.set(dependent.identity.uid, targetOf(dependent, dependent.resource));
    const resources = discovery ? collectable(discovery) : [];
    for (const dependent of await liveDependents({ client, owner: target, resources, logger, signal }))
      dependents.set(dependent.uid, dependent);
    for (const dependent of dependents.values()) await writes.dropOwners(dependent, [target.uid]);
    await writes.removeFinalizer(target, "orphan");
  }

  function invalidOwner({ identity }: GraphNode, reference: OwnerReference): void {
    const { apiVersion, kind, name, namespace = "", uid } = identity;
    const owner = identityText(identityOf(reference, identity.namespace));
    recorder.record(
      { apiVersion, kind, name, uid, ...(namespace ? { namespace } : {}) },
      {
        type: "Warning",
        reason: "OwnerRefInvalidNamespace",
        message: `ownerRef ${owner} does not exist in namespace "${namespace}"`,
      },
    );
  }

  async function run(signal: AbortSignal): Promise<void> {
    let wake = new AbortController();
    const onChange = ({ group }: Resource) => {
      if (group === "apiextensions.k8s.io" || group === "apiregistration.k8s.io")
        clock.after(newKindMs, () => wake.abort());
    };
    const monitors = new Monitors({ client, graph, clock, logger, signal, onChange });
    const startedMs = clock.now();
    while (!signal.aborted) {
      // Before the server is asked: what changes while it answers calls for another look.
      wake = new AbortController();
      try {
        discovery = await discover(client, signal);
        monitors.follow(discovery);
        if (discovery.failures.size > 0)
          logger.v(2).info("Failed to discover some groups", { groups: [...discovery.failures.keys()] });
        while (!monitors.hasSynced() && clock.now() - startedMs < maxSyncMs) await clock.sleep(pollMs, signal);
        openGate();
      } catch (error) {
        if (!signal.aborted) logger.warn("Resources could not be discovered", { err: error });
      }
      const either = AbortSignal.any([signal, wake.signal]);
      await clock.sleep(discovery ? rediscoverMs : newKindMs, either).catch(() => {});
    }
    openGate();
    await monitors.stop();
  }

  // The graph stands for the informers: it tells which uids deserve a look.
  const everything: WatchSource = {
    informer: { hasSynced: () => true, addHandler: () => () => {} },
    handler(enqueue) {
      look = enqueue;
      return {};
    },
  };
  return { name: "garbage-collector-controller", watches: [everything], reconcile, run };
}

function targetOf({ identity }: GraphNode, resource: Resource): Target {
  const { name, namespace, uid } = identity;
  return { resource, name, namespace, uid };
}
