// Carries out a StatefulSet's steps and says so in events. Decides nothing (upstream: stateful_pod_control.go).

import type { StatefulSet } from "@picokube/api/apps/v1";
import { type PersistentVolumeClaim, type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import { isAlreadyExists, isConflict, isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import { controllerOf } from "@picokube/api/owner";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import { isNamespaceTerminating } from "../pod-control.js";
import { ownersAreUpToDate, ownersByPolicy } from "./claim-retention.js";
import {
  type AnyPod,
  claimsOf,
  identityMatches,
  ordinalOf,
  storageMatches,
  withIdentity,
  withStorage,
} from "./identity.js";
import type { Step } from "./statefulset-plan.js";

export interface StatefulPodDependencies {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
}

type Verb = "create" | "update" | "delete";

/** Writes for one set. */
export class StatefulPodControl {
  readonly #dependencies: StatefulPodDependencies;
  readonly #set: StatefulSet;

  constructor(dependencies: StatefulPodDependencies, set: StatefulSet) {
    this.#dependencies = dependencies;
    this.#set = set;
  }

  carryOut(step: Step): Promise<void> {
    switch (step.do) {
      case "create":
        return this.#create(step.pod);
      case "delete":
        return this.delete(step.pod);
      case "complete claims":
        return this.#completeClaims(step.pod);
      case "mend":
        return this.#mend(step.pod);
      case "mend claims":
        return this.#mendClaims(step.pod);
    }
  }

  /** Ends this very pod: not one of the same name that the cache does not show yet. */
  async delete({ metadata }: Pod): Promise<void> {
    const { name, namespace, uid } = metadata;
    try {
      await this.#dependencies.client.delete(pods, { name, namespace: namespace! }, { preconditions: { uid } });
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) this.#tellOfPod("delete", name, error);
      throw error;
    }
    this.#tellOfPod("delete", name);
  }

  async #create(pod: NewObject<Pod> & AnyPod): Promise<void> {
    const { name } = pod.metadata;
    try {
      await this.#createClaims(pod);
      await this.#dependencies.client.create(pods, pod);
    } catch (error) {
      if (isAlreadyExists(error) && (await this.#isOurs(name))) return;
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) this.#tellOfPod("create", name, error);
      throw error;
    }
    this.#tellOfPod("create", name);
  }

  // Ours of a moment ago, which the cache does not show yet: its event will bring the set back.
  async #isOurs(name: string): Promise<boolean> {
    const found = await this.#dependencies.client.get(pods, { name, namespace: this.#set.metadata.namespace! });
    return controllerOf(found)?.uid === this.#set.metadata.uid;
  }

  async #completeClaims(pod: Pod): Promise<void> {
    await this.#createClaims(pod);
    await this.#mendClaims(pod);
  }

  async #createClaims(pod: AnyPod): Promise<void> {
    const { client, claim: existing } = this.#dependencies;
    const failures: string[] = [];
    for (const claim of claimsOf(this.#set, ordinalOf(pod)).values()) {
      const { name } = claim.metadata;
      const found = existing(name);
      if (found?.metadata.deletionTimestamp) failures.push(`pvc ${name} is being deleted`);
      if (found) continue;
      try {
        await client.create(persistentvolumeclaims, claim);
        this.#tellOfClaim(name, pod);
      } catch (error) {
        // The cache is behind: the claim is there.
        if (isAlreadyExists(error)) continue;
        failures.push(`failed to create PVC ${name}: ${(error as Error).message}`);
        if (!isNamespaceTerminating(error)) this.#tellOfClaim(name, pod, error);
      }
    }
    if (failures.length > 0) throw new Error(failures.length === 1 ? failures[0] : `[${failures.join(", ")}]`);
  }

  async #mend(pod: Pod): Promise<void> {
    const set = this.#set;
    let mended = pod;
    if (!identityMatches(set, mended)) mended = withIdentity(mended);
    const remounted = !storageMatches(set, mended);
    if (remounted) mended = withStorage(set, mended);
    try {
      if (remounted) await this.#createClaims(pod);
      await this.#mendClaims(pod);
      if (mended !== pod) await this.#dependencies.client.update(pods, mended);
    } catch (error) {
      this.#tellOfPod("update", pod.metadata.name, error);
      throw error;
    }
    this.#tellOfPod("update", pod.metadata.name);
  }

  async #mendClaims(pod: Pod): Promise<void> {
    const { client, claim: existing } = this.#dependencies;
    for (const { metadata } of claimsOf(this.#set, ordinalOf(pod)).values()) {
      const claim = existing(metadata.name);
      const owners = { set: this.#set, pod };
      if (!claim || ownersAreUpToDate(claim, owners)) continue;
      const ownerReferences = ownersByPolicy(claim, owners);
      try {
        await client.update(persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, ownerReferences } });
      } catch (error) {
        const why = `could not update claim ${metadata.name} for delete policy ownerRefs: ${(error as Error).message}`;
        throw new Error(why, { cause: error });
      }
    }
  }

  #tellOfPod(verb: Verb, name: string, error?: unknown): void {
    this.#tell(verb, `${verb} Pod ${name} in StatefulSet ${this.#set.metadata.name}`, { error, good: "successful" });
  }

  #tellOfClaim(name: string, { metadata }: AnyPod, error?: unknown): void {
    const pod = `${error === undefined ? "" : "for "}Pod ${metadata.name}`;
    const message = `create Claim ${name} ${pod} in StatefulSet ${this.#set.metadata.name}`;
    this.#tell("create", message, { error, good: "success" });
  }

  #tell(verb: Verb, what: string, { error, good }: { error: unknown; good: string }): void {
    const verbed = `${verb[0]!.toUpperCase()}${verb.slice(1)}`;
    this.#dependencies.recorder.record(
      this.#set,
      error === undefined
        ? { type: "Normal", reason: `Successful${verbed}`, message: `${what} ${good}` }
        : { type: "Warning", reason: `Failed${verbed}`, message: `${what} failed error: ${(error as Error).message}` },
    );
  }
}
