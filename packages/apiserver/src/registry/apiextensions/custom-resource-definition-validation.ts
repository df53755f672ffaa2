// What a valid CustomResourceDefinition is, in upstream's words (upstream: ValidateCustomResourceDefinition). Pure; its
// schemas are checked in the files beside this one.

import { isDeepStrictEqual } from "node:util";
import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { isDNS1035Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { joined, objections, oneOf } from "../check.js";
import { immutable } from "../immutable.js";
import { validateWebhookClientConfig } from "../webhook-client-validation.js";
import { validateDefaults } from "./default-validation.js";
import type { JsonSchema } from "./json-schema.js";
import { validateOpenApiSchema } from "./schema-validation.js";
import { validateStructural } from "./structural-validation.js";
import { validateColumns, validateDeprecation, validateSubresources } from "./version-validation.js";

type Spec = NonNullable<CustomResourceDefinition["spec"]>;
type Version = Spec["versions"][number];
type Names = Partial<Spec["names"]>;

const reviewVersions = ["v1", "v1beta1"];

function validateNames(names: Names | undefined, path: string): FieldError[] {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names ?? {};
  const label = (field: string, value: string | undefined) =>
    value ? joined(`${path}.${field}`, value, isDNS1035Label(value)) : [];
  const mixed = (field: string, value: string | undefined) => {
    const words = value ? isDNS1035Label(value.toLowerCase()) : [];
    const why = `may have mixed case, but should otherwise match: ${words.join(",")}`;
    return words.length > 0 ? [invalidValue(`${path}.${field}`, value, why)] : [];
  };
  return [
    ...label("plural", plural),
    ...label("singular", singular),
    ...mixed("kind", kind),
    ...mixed("listKind", listKind),
    ...shortNames.flatMap((name, index) => joined(`${path}.shortNames[${index}]`, name, isDNS1035Label(name))),
    ...(kind && kind === listKind
      ? [invalidValue(`${path}.listKind`, listKind, "kind and listKind may not be the same")]
      : []),
    ...categories.flatMap((name, index) => joined(`${path}.categories[${index}]`, name, isDNS1035Label(name))),
  ];
}

function validateSchema(schema: JsonSchema | undefined, path: string): FieldError[] {
  if (!schema) return [];
  const faults: FieldError[] = [];
  if (schema.nullable) faults.push(forbiddenField(`${path}.nullable`, "nullable cannot be true at the root"));
  const structural = validateStructural(schema, path);
  faults.push(...(structural.length > 0 ? structural : validateDefaults(schema, path)));
  return [...faults, ...validateOpenApiSchema(schema, path, { isRoot: true })];
}

/** Upstream keeps what all versions share at the top, and names it there. */
function isShared(versions: readonly Version[], field: keyof Version): boolean {
  return versions.every((version) => isDeepStrictEqual(version[field], versions[0]?.[field]));
}

function validateConversion(conversion: Spec["conversion"]): FieldError[] {
  if (!conversion) return [];
  const path = "spec.conversion";
  const { strategy, webhook } = conversion;
  const faults = oneOf(`${path}.strategy`, strategy, ["None", "Webhook"]);
  const versions = webhook?.conversionReviewVersions ?? [];
  const client = `${path}.webhookClientConfig`;
  const review = `${path}.conversionReviewVersions`;
  if (strategy !== "Webhook") {
    const words = "should not be set when strategy is not set to Webhook";
    if (webhook?.clientConfig) faults.push(forbiddenField(client, words));
    if (versions.length > 0) faults.push(forbiddenField(review, words));
    return faults;
  }
  if (!webhook?.clientConfig) faults.push(required(client, "required when strategy is set to Webhook"));
  else faults.push(...validateWebhookClientConfig(webhook.clientConfig, client));
  if (versions.length === 0) return [...faults, required(review)];
  for (const [index, version] of versions.entries()) {
    const at = `${review}[${index}]`;
    if (versions.indexOf(version) < index) faults.push(invalidValue(at, version, "duplicate version"));
    else faults.push(...objections(at, version, isDNS1035Label(version)));
  }
  if (!versions.some((version) => reviewVersions.includes(version))) {
    faults.push(invalidValue(review, versions, `must include at least one of ${reviewVersions.join(", ")}`));
  }
  return faults;
}

function validateVersions(versions: readonly Version[]): FieldError[] {
  const faults: FieldError[] = [];
  const own = (field: keyof Version) => !isShared(versions, field);
  for (const [index, version] of versions.entries()) {
    const at = `spec.versions[${index}]`;
    const { name = "", schema, subresources, additionalPrinterColumns: columns } = version;
    faults.push(...joined(`${at}.name`, name, isDNS1035Label(name)), ...validateDeprecation(version, at));
    if (own("schema")) faults.push(...validateSchema(schema?.openAPIV3Schema, `${at}.schema.openAPIV3Schema`));
    if (own("subresources")) faults.push(...validateSubresources(subresources, `${at}.subresources`));
    if (own("additionalPrinterColumns")) faults.push(...validateColumns(columns, `${at}.additionalPrinterColumns`));
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    faults.push(invalidValue("spec.versions", versions, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const words = "must have exactly one version marked as storage version";
    faults.push(invalidValue("spec.versions", versions, words));
  }
  return faults;
}

function validateShared(versions: readonly Version[]): FieldError[] {
  const [first] = versions;
  if (!first) return [];
  const { schema, subresources, additionalPrinterColumns: columns } = first;
  const shared = (field: keyof Version, faults: () => FieldError[]) => (isShared(versions, field) ? faults() : []);
  return [
    ...shared("schema", () => validateSchema(schema?.openAPIV3Schema, "spec.validation.openAPIV3Schema")),
    ...shared("subresources", () => validateSubresources(subresources, "spec.subresources")),
    ...shared("additionalPrinterColumns", () => validateColumns(columns, "spec.additionalPrinterColumns")),
  ];
}

function validateSpec(spec: Spec): FieldError[] {
  const { group = "", names, scope, versions = [] } = spec;
  const faults: FieldError[] = [];
  if (group === "") faults.push(required("spec.group"));
  else if (isDNS1123Subdomain(group).length > 0) faults.push(...joined("spec.group", group, isDNS1123Subdomain(group)));
  else if (!group.includes(".")) {
    faults.push(invalidValue("spec.group", group, "should be a domain with at least one dot"));
  }
  faults.push(...oneOf("spec.scope", scope, ["Cluster", "Namespaced"]));
  for (const [index, { schema }] of versions.entries()) {
    if (schema?.openAPIV3Schema) continue;
    faults.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required"));
  }
  faults.push(...validateVersions(versions));
  const first = versions[0]?.name;
  if (first) faults.push(...joined("spec.version", first, isDNS1035Label(first)));
  for (const field of ["plural", "singular", "kind", "listKind"] as const) {
    if (!names?.[field]) faults.push(required(`spec.names.${field}`));
  }
  return [
    ...faults,
    ...validateNames(names, "spec.names"),
    ...validateShared(versions),
    ...validateConversion(spec.conversion),
  ];
}

function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const stored = status?.storedVersions ?? [];
  const path = "status.storedVersions";
  if (stored.length === 0) return [invalidValue(path, stored, "must have at least one stored version")];
  const versions = spec?.versions ?? [];
  const faults = versions
    .filter(({ name, storage }) => storage && !stored.includes(name))
    .map(({ name }) => invalidValue(path, stored, `must have the storage version ${name}`));
  for (const [index, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const words = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    faults.push(invalidValue(`${path}[${index}]`, name, words));
  }
  return faults;
}

const approval = "api-approved.kubernetes.io";

/** Groups of the community need a link to their review, or say openly that there was none. */
function approvalOf({ metadata }: CustomResourceDefinition): { state: string; why: string } {
  const value = metadata.annotations?.[approval];
  if (!value) {
    const why =
      'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111';
    return { state: "missing", why };
  }
  if (value.startsWith("unapproved")) return { state: "bypassed", why: "" };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(value)) return { state: "approved", why: "" };
  const why = `protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`;
  return { state: "invalid", why };
}

function validateApproval(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const group = crd.spec?.group ?? "";
  const isProtected = ["k8s.io", "kubernetes.io"].some((each) => group === each || group.endsWith(`.${each}`));
  const { state, why } = approvalOf(crd);
  if (!isProtected || (old && approvalOf(old).state === state)) return [];
  const at = `metadata.annotations[${approval}]`;
  if (state === "missing") return [required(at, why)];
  return state === "invalid" ? [invalidValue(at, crd.metadata.annotations?.[approval], why)] : [];
}

function validatePreserveUnknownFields(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  if (!crd.spec?.preserveUnknownFields || old?.spec?.preserveUnknownFields) return [];
  const words =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalidValue("spec.preserveUnknownFields", true, words)];
}

/** A CustomResourceDefinition as it is created. */
export function validateCustomResourceDefinition(crd: CustomResourceDefinition): FieldError[] {
  const spec = crd.spec ?? ({} as Spec);
  const isNamed = crd.metadata.name === `${spec.names?.plural ?? ""}.${spec.group ?? ""}`;
  return [
    ...(isNamed ? [] : [invalidValue("metadata.name", crd.metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...validateSpec(spec),
    ...validateStoredVersions(crd),
    ...validateApproval(crd),
    ...validatePreserveUnknownFields(crd),
  ];
}

/** A change: what names the resource stays, and once it is served also its scope and kind. */
export function validateCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const spec = crd.spec ?? ({} as Spec);
  const before = old.spec ?? ({} as Spec);
  const isEstablished = (old.status?.conditions ?? []).some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  return [
    ...validateSpec(spec),
    ...(isEstablished
      ? [
          ...immutable("spec.scope", spec.scope, before.scope),
          ...immutable("spec.names.kind", spec.names?.kind, before.names?.kind),
        ]
      : []),
    ...immutable("spec.group", spec.group, before.group),
    ...immutable("spec.names.plural", spec.names?.plural, before.names?.plural),
    ...validateStoredVersions(crd),
    ...validateApproval(crd, old),
    ...validatePreserveUnknownFields(crd, old),
  ];
}

/** What is written to a CustomResourceDefinition's status. */
export function validateCustomResourceDefinitionStatus({ status }: CustomResourceDefinition): FieldError[] {
  return validateNames(status?.acceptedNames, "status.acceptedNames");
}
