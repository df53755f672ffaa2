// Writes objects: defaulting, strategy, admission, validation, then the store, with upstream's retries. Serialises each
// object once. Answers nothing over HTTP and authorises nothing.

import { alreadyExists, badRequest, conflict, type FieldError, invalid, isAlreadyExists } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { generateName } from "@picokube/api/names/generate-name";
import { isRevisionConflict } from "@picokube/store/errors";
import type { KeyValue, Store } from "@picokube/store/store";
import type { AdmissionAttributes } from "../admission/admission.js";
import { keepTimesOfNoChange } from "../apply/field-manager.js";
import type { RequestContext } from "../registry/resource-definition.js";
import { validateManagedFields } from "../validation/managed-fields.js";
import { validateMetadata } from "../validation/metadata.js";
import type { CacheFeed } from "./cache-feed.js";
import { cloneJson } from "./clone-json.js";
import { encodeObject, parseObject, spliceRevision } from "./codec.js";
import { type DeleteOptions, isReadyToGo, planDeletion, unmetPrecondition } from "./deletion.js";
import { trackFields } from "./field-tracking.js";
import { KeyQueue } from "./key-queue.js";
import { fillForCreate, fillForUpdate } from "./metadata.js";
import { dropRepeatedOwners } from "./owner-references.js";
import { sameJson } from "./same-json.js";
import type { ServedResource } from "./served-resource.js";
import { statusOfStoreFault } from "./store-faults.js";
import { bumpGeneration, checkIdentity, faultsOfUpdate, mergeSubresource } from "./update-rules.js";
import { attributesOf } from "./write-attributes.js";

const GENERATE_NAME_ATTEMPTS = 8;
/** Each lost attempt is another writer's success; upstream tries until the request's time is over. */
const CONFLICT_ATTEMPTS = 100;

/** The admission chain as the writer needs it; the apiserver's own writes go without. */
export interface AdmissionChain {
  admit(attributes: AdmissionAttributes): Promise<void>;
  validate(attributes: AdmissionAttributes): Promise<void>;
}

export interface WriteOptions {
  readonly context: RequestContext;
  readonly admission?: AdmissionChain | undefined;
  readonly subresource?: string;
}

export interface CreateOptions extends WriteOptions {
  readonly namespace: string;
  /** True for an update that creates: only a create proper refuses an object that brings a resourceVersion. */
  readonly ignoreVersion?: boolean;
}

/** What a write left behind: the object, and its bytes as they go over the wire. */
export interface Written<T extends KubernetesObject = KubernetesObject> {
  readonly object: T;
  readonly bytes: Buffer;
  readonly created: boolean;
}

export interface Deleted<T extends KubernetesObject = KubernetesObject> extends Written<T> {
  /** False: the object stays until its grace or its finalizers are over. */
  readonly removed: boolean;
}

/** Turns the current object (a private copy) into the one to be stored. May throw Status errors; called again on conflict. */
export type Transform<T extends KubernetesObject> = (current: T) => Promise<T> | T;

export interface UpdateOptions<T extends KubernetesObject> extends WriteOptions {
  readonly namespace: string;
  readonly name: string;
  readonly transform: Transform<T>;
  /** Makes the object when there is none (create on update). */
  readonly create?: (() => T) | undefined;
}

interface Current {
  readonly revision: number;
  readonly bytes: Buffer;
}

export class ResourceWriter<T extends KubernetesObject = KubernetesObject> {
  private readonly served: ServedResource<T>;
  private readonly store: Store;
  private readonly feed: CacheFeed;
  private readonly leaseTtlSeconds: number | undefined;
  private readonly contended = new KeyQueue();

  constructor(options: {
    served: ServedResource<T>;
    store: Store;
    feed: CacheFeed;
    leaseTtlSeconds?: number | undefined;
  }) {
    this.served = options.served;
    this.store = options.store;
    this.feed = options.feed;
    this.leaseTtlSeconds = options.leaseTtlSeconds;
  }

  async create(input: T, options: CreateOptions): Promise<Written<T>> {
    const generated = !input.metadata.name && Boolean(input.metadata.generateName);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.createOnce(generated ? structuredClone(input) : input, { ...options, generated });
      } catch (error) {
        if (!generated || !isAlreadyExists(error) || attempt >= GENERATE_NAME_ATTEMPTS) throw error;
      }
    }
  }

  async update(options: UpdateOptions<T>): Promise<Written<T>> {
    const key = this.served.keyOf(options.namespace, options.name);
    const written = await this.tryUpdate(key, this.currentFromCache(key), options);
    // Who lost to another waits for its turn: of many that fight for one object, all but the first win at once.
    return written ?? this.contended.run(key, () => this.retryUpdate(key, options));
  }

  private async retryUpdate(key: string, options: UpdateOptions<T>): Promise<Written<T>> {
    for (let attempt = 2; attempt <= CONFLICT_ATTEMPTS; attempt++) {
      const written = await this.tryUpdate(key, await this.currentFromStore(key), options);
      if (written) return written;
    }
    throw conflict(this.served.resource, options.name);
  }

  /** Undefined when the object changed meanwhile. */
  private async tryUpdate(
    key: string,
    current: Current | undefined,
    options: UpdateOptions<T>,
  ): Promise<Written<T> | undefined> {
    const { namespace, name, create } = options;
    if (current === undefined) {
      if (create) return this.create(create(), { ...options, namespace, ignoreVersion: true });
      throw this.served.absent(namespace, name);
    }
    try {
      return await this.updateOnce(key, current, options);
    } catch (error) {
      if (isRevisionConflict(error)) return undefined;
      throw statusOfStoreFault(error, this.served.resource, name);
    }
  }

  async delete(
    options: WriteOptions & { namespace: string; name: string; deleteOptions: DeleteOptions },
  ): Promise<Deleted<T>> {
    const key = this.served.keyOf(options.namespace, options.name);
    let current = this.currentFromCache(key);
    for (let attempt = 1; ; attempt++) {
      if (current === undefined) throw this.served.absent(options.namespace, options.name);
      try {
        return await this.deleteOnce(key, current, options);
      } catch (error) {
        if (!isRevisionConflict(error)) throw statusOfStoreFault(error, this.served.resource, options.name);
        if (attempt >= CONFLICT_ATTEMPTS) throw conflict(this.served.resource, options.name);
      }
      current = await this.currentFromStore(key);
    }
  }

  private async createOnce(
    object: T,
    {
      context,
      admission,
      namespace,
      generated,
      ignoreVersion = false,
      subresource = "",
    }: CreateOptions & { generated: boolean },
  ): Promise<Written<T>> {
    const { definition, resource } = this.served;
    object.kind = this.served.kind;
    object.apiVersion = this.served.apiVersion;
    const { resourceVersion } = object.metadata;
    definition.applyDefaults?.(object);
    fillForCreate(object, { namespace, nowMs: context.now(), hasGeneration: definition.hasGeneration });
    dropRepeatedOwners(object, { afterAdmission: false, warn: context.warn });
    trackFields(this.served, { old: undefined, object, context, subresource });
    const attributes = attributesOf(this.served, { operation: "CREATE", object, context, subresource });
    await admission?.admit(attributes);
    dropRepeatedOwners(object, { afterAdmission: true, warn: context.warn });
    definition.applyDefaults?.(object);
    if (generated) object.metadata.name = generateName(object.metadata.generateName!);
    await definition.prepareForCreate?.(object, context);
    const faults = [
      ...validateMetadata(object, definition as never),
      ...validateManagedFields(object),
      ...(definition.validate?.(object, context) ?? []),
    ];
    this.throwInvalid(faults, object.metadata.name);
    await admission?.validate({ ...attributes, name: object.metadata.name });
    if (!ignoreVersion && resourceVersion && resourceVersion !== "0") {
      throw badRequest("resourceVersion should not be set on objects to be created");
    }
    const key = this.served.keyOf(namespace, object.metadata.name);
    if (context.dryRun) {
      if (this.served.cache.get(key)) throw alreadyExists(resource, object.metadata.name);
      return { object, bytes: encodeObject(object), created: true };
    }
    try {
      const pair = await this.store.create(key, this.encode(object), this.lease());
      return { ...(await this.committed(object, pair)), created: true };
    } catch (error) {
      throw statusOfStoreFault(error, resource, object.metadata.name);
    }
  }

  private async updateOnce(key: string, current: Current, options: UpdateOptions<T>): Promise<Written<T>> {
    const { context, admission, subresource = "", name } = options;
    const { definition } = this.served;
    const old = this.served.copyOf(current);
    const object = await options.transform(cloneJson(old));
    object.kind = this.served.kind;
    object.apiVersion = this.served.apiVersion;
    checkIdentity(object, old, this.served);
    definition.applyDefaults?.(object);
    fillForUpdate(object, old);
    dropRepeatedOwners(object, { afterAdmission: false, warn: context.warn });
    if (subresource !== "scale") trackFields(this.served, { old, object, context, subresource });
    const merged = mergeSubresource({ object, old, subresource, context }, this.served);
    const attributes = attributesOf(this.served, {
      operation: "UPDATE",
      object: merged,
      oldObject: old,
      context,
      subresource,
    });
    await admission?.admit(attributes);
    dropRepeatedOwners(merged, { afterAdmission: true, warn: context.warn });
    if (subresource === "" || subresource === "scale") await definition.prepareForUpdate?.(merged, old, context);
    if (subresource !== "status") bumpGeneration(merged, old, this.served);
    this.throwInvalid(faultsOfUpdate({ object: merged, old, subresource, context }, this.served), name);
    await admission?.validate(attributes);
    if (isReadyToGo(merged)) return this.removeInUpdate(key, current, merged, context);
    keepTimesOfNoChange(old, merged);
    const stored = this.served.toStored(merged);
    const bytes = encodeObject(stored);
    const isSame = () => sameJson(withoutRevision(stored), withoutRevision(parseObject(current.bytes)));
    if (context.dryRun || (!this.store.isStale?.(key) && isSame())) {
      return { object: merged, bytes: spliceRevision(encodeObject(merged), current.revision), created: false };
    }
    this.feed.remember(bytes, stored);
    const pair = await this.store.update(key, bytes, current.revision, this.lease());
    return { ...(await this.committed(merged, pair)), created: false };
  }

  private async deleteOnce(
    key: string,
    current: Current,
    options: WriteOptions & { deleteOptions: DeleteOptions },
  ): Promise<Deleted<T>> {
    const { context, admission, deleteOptions } = options;
    const { definition, resource } = this.served;
    const old = this.served.copyOf(current);
    const unmet = unmetPrecondition(old, deleteOptions.preconditions, resource);
    if (unmet) throw unmet;
    const attributes = attributesOf(this.served, { operation: "DELETE", oldObject: old, context, subresource: "" });
    await admission?.admit(attributes);
    await admission?.validate(attributes);
    const doomed = this.served.copyOf(current);
    definition.prepareForDelete?.(doomed, context);
    const plan = planDeletion(doomed, {
      options: deleteOptions,
      graceOf: definition.gracePeriodSeconds as never,
      nowMs: context.now(),
    });
    if (plan.action === "wait" || (context.dryRun && plan.action === "remove")) {
      const removed = plan.action === "remove";
      return { object: old, bytes: spliceRevision(encodeObject(old), current.revision), created: false, removed };
    }
    if (plan.action === "remove") return { ...(await this.remove(key, current, old, context)), removed: true };
    const object = plan.object as T;
    if (context.dryRun) {
      return { object, bytes: spliceRevision(encodeObject(object), current.revision), created: false, removed: false };
    }
    const pair = await this.store.update(key, this.encode(object), current.revision, this.lease());
    return { ...(await this.committed(object, pair)), created: false, removed: false };
  }

  private async removeInUpdate(key: string, current: Current, object: T, context: RequestContext): Promise<Written<T>> {
    if (context.dryRun) {
      return { object, bytes: spliceRevision(encodeObject(object), current.revision), created: false };
    }
    return this.remove(key, current, object, context);
  }

  private async remove(key: string, current: Current, object: T, context: RequestContext): Promise<Written<T>> {
    const event = await this.store.delete(key, current.revision);
    await this.feed.applied(event.revision);
    object.metadata.resourceVersion = String(event.revision);
    await this.served.definition.afterDelete?.(object, context);
    return { object, bytes: spliceRevision(encodeObject(object), event.revision), created: false };
  }

  private async committed(object: T, pair: KeyValue): Promise<{ object: T; bytes: Buffer }> {
    await this.feed.applied(pair.modRevision);
    object.metadata.resourceVersion = String(pair.modRevision);
    const cached = this.served.cache.get(pair.key);
    if (cached?.revision === pair.modRevision) return { object, bytes: this.served.bytesOf(cached) };
    return { object, bytes: spliceRevision(encodeObject(object), pair.modRevision) };
  }

  private encode(object: T): Buffer {
    const stored = this.served.toStored(object);
    const bytes = encodeObject(stored);
    this.feed.remember(bytes, stored);
    return bytes;
  }

  private currentFromCache(key: string): Current | undefined {
    const item = this.served.cache.get(key);
    return item && { revision: item.revision, bytes: item.bytes };
  }

  private async currentFromStore(key: string): Promise<Current | undefined> {
    const pair = await this.store.get(key);
    return pair && { revision: pair.modRevision, bytes: spliceRevision(pair.value, pair.modRevision) };
  }

  private throwInvalid(faults: readonly FieldError[], name: string | undefined): void {
    if (faults.length > 0) throw invalid(this.served.resource, name ?? "", faults);
  }

  private lease(): { leaseTtl?: number } {
    return this.leaseTtlSeconds === undefined ? {} : { leaseTtl: this.leaseTtlSeconds };
  }
}

function withoutRevision(object: KubernetesObject): KubernetesObject {
  const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as KubernetesObject["metadata"] };
}
