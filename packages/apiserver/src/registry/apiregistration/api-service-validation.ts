// What a valid APIService is, in upstream's words (upstream: kube-aggregator's ValidateAPIService). Pure.

import type { APIService } from "@picokube/api/apiregistration/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { isDNS1035Label, isDNS1123Subdomain, isValidPortNum } from "@picokube/api/validation/names";
import { objections } from "../check.js";

type Spec = NonNullable<APIService["spec"]>;

function validateBackend({ service, caBundle = "", insecureSkipTLSVerify }: Spec): FieldError[] {
  const faults: FieldError[] = [];
  const skip = "spec.insecureSkipTLSVerify";
  if (!service) {
    if (caBundle !== "") {
      const bytes = `${Buffer.from(caBundle, "base64").length} bytes`;
      faults.push(invalidValue("spec.caBundle", bytes, "local APIServices may not have a caBundle"));
    }
    if (insecureSkipTLSVerify) {
      faults.push(invalidValue(skip, true, "local APIServices may not have insecureSkipTLSVerify"));
    }
    return faults;
  }
  if (!service.namespace) faults.push(required("spec.service.namespace"));
  if (!service.name) faults.push(required("spec.service.name"));
  const port = service.port ?? 0;
  const words = isValidPortNum(port);
  if (words.length > 0) faults.push(invalidValue("spec.service.port", port, `port is not valid: ${words.join(", ")}`));
  if (insecureSkipTLSVerify && caBundle !== "") {
    faults.push(invalidValue(skip, true, "may not be true if caBundle is present"));
  }
  return faults;
}

/** An APIService as it is created and changed. */
export function validateApiService({ metadata, spec = {} as Spec }: APIService): FieldError[] {
  const { group = "", version = "", groupPriorityMinimum: minimum = 0, versionPriority: priority = 0 } = spec;
  const wanted = `${version}.${group}`;
  const faults: FieldError[] = [];
  if (metadata.name !== wanted) {
    const words = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`;
    faults.push(invalidValue("metadata.name", metadata.name, words));
  }
  if (group === "" && version !== "v1") {
    faults.push(required("spec.group", "only v1 may have an empty group and it better be legacy kube"));
  }
  if (group !== "") faults.push(...objections("spec.group", group, isDNS1123Subdomain(group)));
  faults.push(...objections("spec.version", version, isDNS1035Label(version)));
  if (minimum <= 0 || minimum > 20000) {
    faults.push(invalidValue("spec.groupPriorityMinimum", minimum, "must be positive and less than 20000"));
  }
  if (priority <= 0 || priority > 1000) {
    faults.push(invalidValue("spec.versionPriority", priority, "must be positive and less than 1000"));
  }
  return [...faults, ...validateBackend(spec)];
}

/** What is written to an APIService's status. */
export function validateApiServiceStatus({ status }: APIService): FieldError[] {
  const supported = ["True", "False", "Unknown"];
  return (status?.conditions ?? []).flatMap(({ status: value = "" }, index) =>
    supported.includes(value) ? [] : [notSupported(`status.conditions[${index}].status`, value, supported)],
  );
}
