// Validation of metadata, which all kinds share, in upstream's words (apimachinery pkg/api/validation/objectmeta.go).
// Never changes the object; what the server fills in stands in storage/metadata.ts.

import type { FieldError } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { parseApiVersion } from "@picokube/api/resource";
import { resourceOfKind } from "@picokube/api/resources";
import { forbiddenField, invalidValue, required, tooLong } from "@picokube/api/validation/field-error";
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isQualifiedName,
  isValidLabelValue,
} from "@picokube/api/validation/names";
import type { ResourceDefinition } from "../registry/resource-definition.js";

const TOTAL_ANNOTATIONS_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);
const API_GROUPS = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io"]);
const NAME_RULES = {
  subdomain: isDNS1123Subdomain,
  label: isDNS1123Label,
  "label-1035": isDNS1035Label,
  "path-segment": isPathSegmentName,
};

type Rule = Pick<ResourceDefinition, "nameRule" | "resource">;

/** A generated name's base is checked as if letters followed it (upstream: maskTrailingDash). */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

/** Faults of the metadata of an object to be created. */
export function validateMetadata(object: KubernetesObject, { nameRule = "subdomain", resource }: Rule): FieldError[] {
  const { metadata } = object;
  const faults: FieldError[] = [];
  const rule = NAME_RULES[nameRule];
  if (metadata.generateName) {
    for (const why of rule(maskTrailingDash(metadata.generateName))) {
      faults.push(invalidValue("metadata.generateName", metadata.generateName, why));
    }
  }
  if (!metadata.name) faults.push(required("metadata.name", "name or generateName is required"));
  else for (const why of rule(metadata.name)) faults.push(invalidValue("metadata.name", metadata.name, why));
  if (resource.namespaced) {
    if (!metadata.namespace) faults.push(required("metadata.namespace"));
    else {
      for (const why of isDNS1123Label(metadata.namespace)) {
        faults.push(invalidValue("metadata.namespace", metadata.namespace, why));
      }
    }
  } else if (metadata.namespace) {
    faults.push(forbiddenField("metadata.namespace", "not allowed on this type"));
  }
  return [...faults, ...validateCommon(object)];
}

/** Faults of the metadata of an update. */
export function validateMetadataUpdate(object: KubernetesObject, { metadata: old }: KubernetesObject): FieldError[] {
  const { metadata } = object;
  const faults: FieldError[] = [];
  if (old.deletionTimestamp) {
    const known = new Set(old.finalizers ?? []);
    const added = (metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(", ")}}`;
      faults.push(
        forbiddenField(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      );
    }
  }
  for (const field of ["name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if ((metadata[field] ?? "") !== (old[field] ?? "")) {
      faults.push(invalidValue(`metadata.${field}`, metadata[field], "field is immutable"));
    }
  }
  return [...faults, ...validateCommon(object)];
}

function validateCommon(object: KubernetesObject): FieldError[] {
  const { metadata } = object;
  return [
    ...validateAnnotations(metadata.annotations ?? {}),
    ...validateLabels(metadata.labels ?? {}),
    ...validateOwnerReferences(metadata.ownerReferences ?? []),
    ...validateFinalizers(metadata.finalizers ?? [], object),
  ];
}

function validateLabels(labels: { [key: string]: string }): FieldError[] {
  const faults: FieldError[] = [];
  for (const [key, value] of Object.entries(labels)) {
    for (const why of isQualifiedName(key)) faults.push(invalidValue("metadata.labels", key, why));
    for (const why of isValidLabelValue(value)) faults.push(invalidValue("metadata.labels", value, why));
  }
  return faults;
}

function validateAnnotations(annotations: { [key: string]: string }): FieldError[] {
  const faults: FieldError[] = [];
  let totalBytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const why of isQualifiedName(key.toLowerCase())) faults.push(invalidValue("metadata.annotations", key, why));
    totalBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (totalBytes > TOTAL_ANNOTATIONS_BYTES) faults.push(tooLong("metadata.annotations", TOTAL_ANNOTATIONS_BYTES));
  return faults;
}

function validateOwnerReferences(references: readonly OwnerReference[]): FieldError[] {
  const faults: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const reference of references) {
    const field = "metadata.ownerReferences";
    if (!reference.apiVersion) {
      faults.push(invalidValue(`${field}.apiVersion`, reference.apiVersion ?? "", "version must not be empty"));
    }
    if (!reference.kind) faults.push(invalidValue(`${field}.kind`, reference.kind ?? "", "kind must not be empty"));
    if (!reference.name) faults.push(invalidValue(`${field}.name`, reference.name ?? "", "name must not be empty"));
    if (!reference.uid) faults.push(invalidValue(`${field}.uid`, reference.uid ?? "", "uid must not be empty"));
    if (reference.kind === "Event" && reference.apiVersion === "v1") {
      faults.push(invalidValue(field, reference, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (!reference.controller) continue;
    if (controller) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${reference.kind}/${reference.name}`;
      faults.push(invalidValue(field, references, why));
    } else controller = reference;
  }
  return faults;
}

/** Custom resources and the definitions of APIs may have finalizers without a domain (upstream: core's own ValidateObjectMeta). */
function needQualifiedFinalizers({ apiVersion = "", kind = "" }: KubernetesObject): boolean {
  const { group, version } = parseApiVersion(apiVersion);
  return !API_GROUPS.has(group) && resourceOfKind({ group, version, kind }) !== undefined;
}

function validateFinalizers(finalizers: readonly string[], object: KubernetesObject): FieldError[] {
  const faults: FieldError[] = [];
  for (const finalizer of finalizers) {
    for (const why of isQualifiedName(finalizer)) faults.push(invalidValue("metadata.finalizers", finalizer, why));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const why = "finalizer orphan and foregroundDeletion cannot be both set";
    faults.push(invalidValue("metadata.finalizers", finalizers, why));
  }
  for (const [index, finalizer] of finalizers.entries()) {
    if (finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer) || !needQualifiedFinalizers(object)) continue;
    const why = "name is neither a standard finalizer name nor is it fully qualified";
    faults.push(invalidValue(`metadata.finalizers[${index}]`, finalizer, why));
  }
  return faults;
}
