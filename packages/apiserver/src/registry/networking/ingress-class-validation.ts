// What a valid IngressClass is, in upstream's words (upstream: ValidateIngressClass). Pure.

import type { IngressClass } from "@picokube/api/networking/v1";
import { type FieldError, forbiddenField, notSupported, required, tooLong } from "@picokube/api/validation/field-error";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { domainPrefixedPath, objections, requiredPathSegment } from "../check.js";
import { immutable } from "../immutable.js";

type Parameters = NonNullable<NonNullable<IngressClass["spec"]>["parameters"]>;

const maxControllerBytes = 250;

/** A reference to an object of any kind (upstream: validateIngressTypedLocalObjectReference). */
export function validateTypedReference(
  { apiGroup, kind, name }: Pick<Parameters, "apiGroup" | "kind" | "name">,
  path: string,
): FieldError[] {
  return [
    ...(apiGroup === undefined ? [] : objections(`${path}.apiGroup`, apiGroup, isDNS1123Subdomain(apiGroup))),
    ...requiredPathSegment(`${path}.kind`, kind, "kind is required"),
    ...requiredPathSegment(`${path}.name`, name, "name is required"),
  ];
}

function validateParameters(parameters: Parameters, path: string): FieldError[] {
  const { scope, namespace } = parameters;
  const faults = validateTypedReference(parameters, path);
  if (scope === undefined) return [...faults, required(`${path}.scope`)];
  const at = `${path}.namespace`;
  if (scope === "Namespace") {
    if (namespace === undefined) faults.push(required(at, "`parameters.scope` is set to 'Namespace'"));
    else faults.push(...objections(at, namespace, isDNS1123Label(namespace)));
  } else if (scope === "Cluster") {
    if (namespace !== undefined) faults.push(forbiddenField(at, "`parameters.scope` is set to 'Cluster'"));
  } else faults.push(notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"]));
  return faults;
}

/** An IngressClass as it is created. */
export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const controller = spec?.controller ?? "";
  const path = "spec.controller";
  return [
    ...(Buffer.byteLength(controller) > maxControllerBytes ? [tooLong(path, maxControllerBytes)] : []),
    ...domainPrefixedPath(path, controller),
    ...(spec?.parameters ? validateParameters(spec.parameters, "spec.parameters") : []),
  ];
}

/** A change of an IngressClass: the controller stays. */
export function validateIngressClassUpdate(ingressClass: IngressClass, old: IngressClass): FieldError[] {
  return [
    ...immutable("spec.controller", ingressClass.spec?.controller, old.spec?.controller),
    ...validateIngressClass(ingressClass),
  ];
}
