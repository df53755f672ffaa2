// Who owns whom, over all resources: upstream's GraphBuilder. Holds identities and owner references only, never objects,
// and decides which uids deserve a look; asks no server and deletes nothing.

import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { parseApiVersion, type Resource } from "@picokube/api/resource";

/** What it takes to find an object: a reference together with the namespace that it holds in. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Of the object, or of the one that refers to it. */
  readonly namespace: string | undefined;
  readonly uid: string;
}

export interface GraphNode {
  identity: Identity;
  /** Undefined for an owner that was only heard of. */
  resource: Resource | undefined;
  owners: readonly OwnerReference[];
  readonly dependents: Set<GraphNode>;
  /** It has a deletionTimestamp. */
  deleting: boolean;
  /** Deleted in the foreground: it waits until the dependents that block it are gone. */
  deletingDependents: boolean;
  /** Deleted such that its dependents are to stay. */
  orphaning: boolean;
  /** Identities under which the server knows no such uid. */
  readonly absentAs: Set<string>;
}

export interface GraphListener {
  /** Something about the object or its owners changed such that it, or its dependents, may have to go. */
  look(uid: string): void;
  /** A reference crosses namespaces: such an owner does not exist. */
  invalidOwner(dependent: GraphNode, owner: OwnerReference): void;
}

export class Graph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #listener: GraphListener;

  constructor(listener: GraphListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An object was seen, for the first time or anew. */
  observe(resource: Resource, object: KubernetesObject): void {
    const { uid, name, namespace, ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
    const deleting = deletionTimestamp !== undefined;
    const after = {
      deletingDependents: deleting && finalizers.includes("foregroundDeletion"),
      orphaning: deleting && finalizers.includes("orphan"),
    };
    const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
    const identity = { apiVersion, kind: resource.kind, name, namespace, uid };
    const known = this.#nodes.get(uid);
    const node = known ?? newNode(identity);
    const before = { deletingDependents: node.deletingDependents, orphaning: node.orphaning };
    const onlyHeardOf = known !== undefined && known.resource === undefined;
    node.identity = identity;
    node.resource = resource;
    node.deleting = deleting;
    node.orphaning = after.orphaning;
    node.deletingDependents = after.deletingDependents;
    if (!known) this.#nodes.set(uid, node);
    node.absentAs.clear();
    if (onlyHeardOf) this.#reviewReferences(node);
    this.#changeOwners(node, ownerReferences);
    if (after.deletingDependents && !before.deletingDependents)
      for (const dependent of node.dependents) this.#look(dependent);
    if (after.deletingDependents !== before.deletingDependents || after.orphaning !== before.orphaning)
      this.#look(node);
  }

  /** An object that was seen is gone. */
  forget(uid: string): void {
    const node = this.#nodes.get(uid);
    if (!node || node.resource === undefined) return;
    for (const owner of node.owners) this.#removeDependent(node, owner.uid);
    for (const { uid: ownerUid } of node.owners) {
      const owner = this.#nodes.get(ownerUid);
      if (owner?.deletingDependents) this.#look(owner);
    }
    Object.assign(node, {
      resource: undefined,
      owners: [],
      deleting: false,
      deletingDependents: false,
      orphaning: false,
    });
    node.absentAs.add(identityText(node.identity));
    for (const dependent of node.dependents) this.#look(dependent);
    if (node.dependents.size === 0) this.#nodes.delete(uid);
  }

  /** The server knows no such owner as was heard of: those who meant it are looked at; others may mean another. */
  absent(uid: string): void {
    const node = this.#nodes.get(uid);
    if (!node || node.resource !== undefined) return;
    node.absentAs.add(identityText(node.identity));
    let next: Identity | undefined;
    for (const dependent of node.dependents) {
      const meant = this.#meantBy(dependent, uid);
      if (!meant) continue;
      if (node.absentAs.has(identityText(meant))) this.#look(dependent);
      else next ??= meant;
    }
    if (!next) return;
    node.identity = next;
    this.#look(node);
  }

  #changeOwners(node: GraphNode, references: readonly OwnerReference[]): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]));
    const now = new Map(references.map((owner) => [owner.uid, owner]));
    node.owners = references.map(({ apiVersion, kind, name, uid, blockOwnerDeletion }) => ({
      apiVersion,
      kind,
      name,
      uid,
      ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
    }));
    for (const [uid, old] of before) {
      const owner = this.#nodes.get(uid);
      const current = now.get(uid);
      const unblocked = old.blockOwnerDeletion === true && current?.blockOwnerDeletion !== true;
      if (!current) this.#removeDependent(node, uid);
      if (unblocked && owner?.deletingDependents) this.#look(owner);
    }
    for (const [uid, reference] of now) if (!before.has(uid)) this.#addDependent(node, reference);
  }

  #addDependent(node: GraphNode, reference: OwnerReference): void {
    const meant = identityOf(reference, node.identity.namespace);
    const known = this.#nodes.get(reference.uid);
    const owner = known ?? newNode(meant);
    owner.dependents.add(node);
    if (!known) this.#nodes.set(reference.uid, owner);
    if (owner.resource !== undefined) this.#review(node, reference, owner);
    else if (owner.absentAs.has(identityText(meant))) this.#look(node);
    else {
      if (owner.absentAs.size > 0) owner.identity = meant;
      this.#look(owner);
    }
  }

  #removeDependent(node: GraphNode, ownerUid: string): void {
    const owner = this.#nodes.get(ownerUid);
    owner?.dependents.delete(node);
    if (owner?.resource === undefined && owner?.dependents.size === 0) this.#nodes.delete(ownerUid);
  }

  #meantBy(dependent: GraphNode, ownerUid: string): Identity | undefined {
    const reference = dependent.owners.find(({ uid }) => uid === ownerUid);
    return reference && identityOf(reference, dependent.identity.namespace);
  }

  #look(node: GraphNode): void {
    this.#listener.look(node.identity.uid);
  }

  // The owner has now been seen: do all that referred to it mean it?
  #reviewReferences(owner: GraphNode): void {
    for (const dependent of owner.dependents) {
      const reference = dependent.owners.find(({ uid }) => uid === owner.identity.uid);
      if (reference) this.#review(dependent, reference, owner);
    }
  }

  #review(dependent: GraphNode, reference: OwnerReference, owner: GraphNode): void {
    const { namespace, name, kind, apiVersion } = owner.identity;
    const crosses = namespace !== undefined && namespace !== dependent.identity.namespace;
    if (crosses) this.#listener.invalidOwner(dependent, reference);
    const same = reference.name === name && reference.kind === kind && sameGroup(reference.apiVersion, apiVersion);
    if (crosses || !same || owner.deletingDependents) this.#look(dependent);
  }
}

function newNode(identity: Identity): GraphNode {
  return {
    identity,
    resource: undefined,
    owners: [],
    dependents: new Set(),
    deleting: false,
    deletingDependents: false,
    orphaning: false,
    absentAs: new Set(),
  };
}

/** The dependents without which a foreground deletion cannot end. */
export function blockingDependents(node: GraphNode): GraphNode[] {
  return [...node.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === node.identity.uid && blockOwnerDeletion === true),
  );
}

/** What a reference made in that namespace names. */
export function identityOf({ apiVersion, kind, name, uid }: OwnerReference, namespace: string | undefined): Identity {
  return { apiVersion, kind, name, uid, namespace };
}

/** Upstream's form of an object reference in words. */
export function identityText({ apiVersion, kind, namespace = "", name, uid }: Identity): string {
  return `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
}

function sameGroup(a: string, b: string): boolean {
  return a === b || parseApiVersion(a).group === parseApiVersion(b).group;
}
