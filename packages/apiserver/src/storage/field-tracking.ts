// Field management of one served resource: which write it is, and whether it is tracked at all. The rules of ownership
// stand in apply/.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { schemaOf } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { type FieldWrite, trackWrite } from "../apply/field-manager.js";
import { ANY } from "../apply/field-type.js";
import { ownedThrough } from "../apply/reset-fields.js";
import type { RequestContext } from "../registry/resource-definition.js";
import type { ServedResource } from "./served-resource.js";

/** The schema that ownership follows; kinds without one are owned as their values suggest. */
export function ownershipSchema({ resource, definition }: Pick<ServedResource, "resource" | "definition">): Schema {
  return definition.custom?.ownership ?? schemaOf(resource) ?? ANY;
}

/** A write through the resource or its subresource, as field management sees it. */
export function fieldWriteOf<T extends KubernetesObject>(
  served: ServedResource<T>,
  { manager, subresource, nowMs }: { manager: string; subresource: string; nowMs: number },
): FieldWrite {
  const { resource, definition, apiVersion, siblings } = served;
  const inVersion = (version: string) => siblings.find((each) => each.apiVersion === version);
  return {
    apiVersion,
    owned: ownedThrough(resource, {
      subresource,
      hasStatus: definition.hasStatus,
      isCustom: definition.custom !== undefined,
    }),
    schemaIn: (version) => ownershipSchema(inVersion(version) ?? (served as unknown as ServedResource)),
    convert: (object, { from, to }) => inVersion(from)?.inVersion(object, to),
    manager,
    subresource,
    nowMs,
  };
}

/** Tracks an update or a create in the object's managedFields, unless the context says that it is not tracked. In place. */
export function trackFields<T extends KubernetesObject>(
  served: ServedResource<T>,
  {
    old,
    object,
    context,
    subresource,
  }: { old: T | undefined; object: T; context: RequestContext; subresource: string },
): void {
  const { fieldManager: manager } = context;
  if (manager === undefined) return;
  trackWrite(old, object, fieldWriteOf(served, { manager, subresource, nowMs: context.now() }));
}
