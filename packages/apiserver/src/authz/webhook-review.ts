// SubjectAccessReview as the Webhook mode sends it: attributes in, a body out. Pure.

import type { FieldRequirement } from "@picokube/api/selectors/fields";
import type { Operator, Requirement } from "@picokube/api/selectors/labels";
import type { Attributes } from "./authorizer.js";

/** What the other server says; anything may be missing. */
export interface ReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
}

type Spec = { readonly [field: string]: unknown };

/** The spec in the order of upstream's fields; what is empty is left out, as Go's omitempty does. */
export function reviewSpec({ user, verb, path, resource }: Attributes): Spec {
  const deed = resource
    ? {
        resourceAttributes: unlessEmpty({
          namespace: resource.namespace,
          verb,
          group: resource.group,
          version: resource.version,
          resource: resource.resource,
          subresource: resource.subresource,
          name: resource.name,
          fieldSelector: requirementsOf(resource.fieldSelector?.map(fieldRequirement)),
          labelSelector: requirementsOf(resource.labelSelector?.flatMap(labelRequirement)),
        }),
      }
    : { nonResourceAttributes: unlessEmpty({ path, verb }) };
  return { ...deed, ...unlessEmpty({ user: user.name, groups: user.groups, extra: user.extra, uid: user.uid }) };
}

/** The whole body. v1beta1 calls the groups "group". */
export function subjectAccessReview(spec: Spec, version: string): object {
  const { groups, ...rest } = spec;
  const versioned = version === "v1" || groups === undefined ? spec : { ...rest, group: groups };
  return {
    kind: "SubjectAccessReview",
    apiVersion: `authorization.k8s.io/${version}`,
    metadata: { creationTimestamp: null },
    spec: versioned,
    status: { allowed: false },
  };
}

/** How much of a review the requester chose (upstream: shouldCache). */
export function attributesBytes({ verb, path, resource }: Attributes): number {
  const chosen = resource
    ? [resource.namespace, resource.group, resource.version, resource.resource, resource.subresource, resource.name]
    : [];
  const selectors = JSON.stringify([resource?.fieldSelector ?? [], resource?.labelSelector ?? []]);
  return [verb, path, selectors, ...chosen].reduce((bytes, text) => bytes + text.length, 0);
}

function unlessEmpty(fields: Spec): Spec {
  const isEmpty = (value: unknown) =>
    value === undefined || value === "" || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function requirementsOf(requirements: readonly object[] | undefined): object | undefined {
  return requirements && requirements.length > 0 ? { requirements } : undefined;
}

function fieldRequirement({ field, operator, value }: FieldRequirement): object {
  return { key: field, operator: operator === "=" ? "In" : "NotIn", values: [value] };
}

const OPERATORS: { readonly [operator in Operator]?: string } = {
  in: "In",
  "=": "In",
  "==": "In",
  notin: "NotIn",
  "!=": "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
};

function labelRequirement({ key, operator, values }: Requirement): object[] {
  const known = OPERATORS[operator];
  return known ? [{ key, operator: known, ...(values.length > 0 ? { values: [...values].sort() } : {}) }] : [];
}
