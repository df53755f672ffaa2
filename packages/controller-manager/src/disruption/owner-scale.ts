// How many pods the owner of a pod wants: from listers for the built-in kinds, from the scale subresource for any other.
// Upstream's podControllerFinders.

import { deployments, replicasets, statefulsets } from "@picokube/api/apps/v1";
import { replicationcontrollers } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { controllerOf } from "@picokube/api/owner";
import { apiVersionOf, groupResourceName, parseApiVersion, type Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { InformerFactory } from "@picokube/client/informer";
import { mapped } from "@picokube/client/watch-sources";
import { type Discovery, discover } from "../discovery.js";

export interface OwnerScale {
  readonly uid: string;
  readonly replicas: number;
}

type Scaled = KubernetesObject & { spec?: { replicas?: number } };

/** Answers for one owner; undefined when it is not there any more. Throws when it has no scale. */
export type FindScale = (owner: OwnerReference, namespace: string) => Promise<OwnerScale | undefined>;

export function ownerScales({ client, informers }: { client: Client; informers: InformerFactory }) {
  const replicaSets = informers.for(replicasets);
  const ofDeployment = informers.for(deployments);
  const listers = [replicaSets, informers.for(statefulsets), informers.for(replicationcontrollers), ofDeployment];
  let known: Discovery | undefined;

  async function resourceOf({ apiVersion, kind }: OwnerReference): Promise<Resource> {
    const wanted = { ...parseApiVersion(apiVersion), kind };
    const before = known?.resourceOfKind(wanted);
    if (before) return before;
    known = await discover(client);
    const found = known.resourceOfKind(wanted);
    if (!found) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
    return found;
  }

  async function scaleOf(owner: OwnerReference, namespace: string): Promise<OwnerScale | undefined> {
    const resource = await resourceOf(owner);
    try {
      const where = { name: owner.name, namespace };
      const { metadata, spec } = (await client.get(resource, where, { subresource: "scale" })) as Scaled;
      return metadata.uid === owner.uid ? { uid: owner.uid, replicas: spec?.replicas ?? 0 } : undefined;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (await hasScale(client, resource)) return undefined;
      throw new Error(`${groupResourceName(resource)} does not implement the scale subresource`);
    }
  }

  const find: FindScale = async (owner, namespace) => {
    const lister = listers.find(({ resource }) => resource.kind === owner.kind && sameGroup(resource, owner));
    if (!lister || lister === ofDeployment) return scaleOf(owner, namespace);
    const object = lister.get(`${namespace}/${owner.name}`) as Scaled | undefined;
    if (object?.metadata.uid !== owner.uid) return scaleOf(owner, namespace);
    const above = lister === replicaSets ? controllerOf(object) : undefined;
    if (above?.kind !== "Deployment") return { uid: owner.uid, replicas: object.spec?.replicas ?? 1 };
    const deployment = ofDeployment.get(`${namespace}/${above.name}`);
    // Between a Deployment and its ReplicaSets the size is the Deployment's.
    return deployment?.metadata.uid === above.uid
      ? { uid: above.uid, replicas: deployment.spec?.replicas ?? 1 }
      : scaleOf(owner, namespace);
  };
  // Their changes need no answer: the pods that follow from them do.
  return { find, watches: listers.map((lister) => mapped<KubernetesObject>(lister, () => [])) };
}

function sameGroup({ group }: Resource, { apiVersion }: OwnerReference): boolean {
  const asked = parseApiVersion(apiVersion).group;
  return group === asked || (group === "apps" && asked === "extensions");
}

async function hasScale(client: Client, resource: Resource): Promise<boolean> {
  const version = apiVersionOf(resource);
  const path = resource.group === "" ? `/api/${version}` : `/apis/${version}`;
  const { body } = await client.raw({ method: "GET", path, headers: { accept: "application/json" } });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const { resources = [] } = JSON.parse(Buffer.concat(chunks).toString()) as { resources?: { name: string }[] };
  return resources.some(({ name }) => name === `${resource.resource}/scale`);
}
