// Writes objects: defaulting, strategy, admission, validation, then the store, with upstream's retries. Answers nothing
// over HTTP and authorises nothing.

import { alreadyExists, badRequest, conflict, type FieldError, invalid, isAlreadyExists } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { generateName } from "@picokube/api/names/generate-name";
import { isRevisionConflict } from "@picokube/store/errors";
import type { AdmissionAttributes } from "../admission/admission.js";
import { keepTimesOfNoChange } from "../apply/field-manager.js";
import type { RequestContext } from "../registry/resource-definition.js";
import { validateManagedFields } from "../validation/managed-fields.js";
import { validateMetadata } from "../validation/metadata.js";
import { cloneJson } from "./clone-json.js";
import { encodeObject } from "./codec.js";
import { type DeleteOptions, isReadyToGo, planDeletion, unmetPrecondition } from "./deletion.js";
import { trackFields } from "./field-tracking.js";
import { KeyQueue } from "./key-queue.js";
import { fillForCreate, fillForUpdate } from "./metadata.js";
import { dropRepeatedOwners } from "./owner-references.js";
import type { ServedResource } from "./served-resource.js";
import { statusOfStoreFault } from "./store-faults.js";
import { type Current, StoredObjects, type StoredObjectsOptions } from "./stored-objects.js";
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
  readonly create?: (() => Promise<T> | T) | undefined;
}

export class ResourceWriter<T extends KubernetesObject = KubernetesObject> {
  private readonly served: ServedResource<T>;
  private readonly objects: StoredObjects<T>;
  private readonly contended = new KeyQueue();

  constructor(options: StoredObjectsOptions<T>) {
    this.served = options.served;
    this.objects = new StoredObjects(options);
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
    const written = await this.tryUpdate(key, this.objects.cached(key), options);
    // Who lost to another waits for its turn: of many that fight for one object, all but the first win at once.
    return written ?? this.contended.run(key, () => this.retryUpdate(key, options));
  }

  private async retryUpdate(key: string, options: UpdateOptions<T>): Promise<Written<T>> {
    for (let attempt = 2; attempt <= CONFLICT_ATTEMPTS; attempt++) {
      const written = await this.tryUpdate(key, await this.objects.latest(key), options);
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
      if (create) return this.create(await create(), { ...options, namespace, ignoreVersion: true });
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
    let current = this.objects.cached(key);
    for (let attempt = 1; ; attempt++) {
      if (current === undefined) throw this.served.absent(options.namespace, options.name);
      try {
        return await this.deleteOnce(key, current, options);
      } catch (error) {
        if (!isRevisionConflict(error)) throw statusOfStoreFault(error, this.served.resource, options.name);
        if (attempt >= CONFLICT_ATTEMPTS) throw conflict(this.served.resource, options.name);
      }
      current = await this.objects.latest(key);
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
      const write = () => this.objects.create(key, object);
      return { ...(await this.claimed(write, { object, old: undefined, context })), created: true };
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
    if (context.dryRun) return { ...this.objects.unwritten(merged, current), created: false };
    const write = () => this.objects.update(key, merged, current);
    const updated = subresource === "" ? this.claimed(write, { object: merged, old, context }) : write();
    return { ...(await updated), created: false };
  }

  /** Writes with what the kind needs beside the object in hand; given back when the write comes to nothing. */
  private async claimed<R>(
    write: () => Promise<R>,
    { object, old, context }: { object: T; old: T | undefined; context: RequestContext },
  ): Promise<R> {
    const settle = this.served.definition.claim && (await this.served.definition.claim(object, old, context));
    if (!settle) return write();
    try {
      const written = await write();
      await settle(true);
      return written;
    } catch (error) {
      await settle(false);
      throw error;
    }
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
      return { ...this.objects.unwritten(old, current), created: false, removed };
    }
    if (plan.action === "remove") return { ...(await this.remove(key, current, old, context)), removed: true };
    const object = plan.object as T;
    const write = context.dryRun ? this.objects.unwritten(object, current) : this.objects.update(key, object, current);
    return { ...(await write), created: false, removed: false };
  }

  private async removeInUpdate(key: string, current: Current, object: T, context: RequestContext): Promise<Written<T>> {
    if (context.dryRun) return { ...this.objects.unwritten(object, current), created: false };
    return this.remove(key, current, object, context);
  }

  private async remove(key: string, current: Current, object: T, context: RequestContext): Promise<Written<T>> {
    const removed = await this.objects.remove(key, object, current);
    await this.served.definition.afterDelete?.(object, context);
    return { ...removed, created: false };
  }

  private throwInvalid(faults: readonly FieldError[], name: string | undefined): void {
    if (faults.length > 0) throw invalid(this.served.resource, name ?? "", faults);
  }
}
