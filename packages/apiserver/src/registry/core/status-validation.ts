// What may be written to the status of namespaces, Services, volumes, claims and quotas, in upstream's words (upstream:
// Validate*StatusUpdate). Pure.

import type { Namespace, PersistentVolumeClaim, ResourceQuota, Service } from "@picokube/api/core/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { ipFamilyOf, isValidIP } from "@picokube/api/validation/ip";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { validateQuotaAmounts } from "./quota-validation.js";
import { nonnegativeQuantity } from "./resource-validation.js";

/** A namespace's phase says whether it is being deleted. */
export function validateNamespaceStatus({ metadata, status }: Namespace): FieldError[] {
  const phase = status?.phase ?? "";
  const [wanted, is] = metadata.deletionTimestamp ? ["Terminating", "is not"] : ["Active", "is"];
  const words = `may only be '${wanted}' if \`deletionTimestamp\` ${is} empty`;
  return phase === wanted ? [] : [invalidValue("status.Phase", phase, words)];
}

/** A load balancer's points of entry; only a Service of that type has any. */
export function validateServiceStatus({ spec, status }: Service, old: Service): FieldError[] {
  const path = "status.loadBalancer.ingress";
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && spec?.type !== "LoadBalancer") {
    return [forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const before = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  return ingress.flatMap(({ ip = "", ipMode, hostname = "" }, index) => {
    const at = `${path}[${index}]`;
    const faults = ip === "" || before.has(ip) ? [] : objections(`${at}.ip`, ip, isValidIP(ip));
    const modes = ["Proxy", "VIP"];
    if (ipMode === undefined) {
      if (ip !== "") faults.push(required(`${at}.ipMode`, "must be specified when `ip` is set"));
    } else if (ip === "") {
      faults.push(forbiddenField(`${at}.ipMode`, "may not be specified when `ip` is not set"));
    } else if (!modes.includes(ipMode)) faults.push(notSupported(`${at}.ipMode`, ipMode, modes));
    if (hostname === "") return faults;
    faults.push(...objections(`${at}.hostname`, hostname, isDNS1123Subdomain(hostname)));
    if (ipFamilyOf(hostname)) {
      faults.push(invalidValue(`${at}.hostname`, hostname, "must be a DNS name, not an IP address"));
    }
    return faults;
  });
}

function quantities(list: { readonly [name: string]: string | number } | undefined, path: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, value]) => nonnegativeQuantity(`${path}[${name}]`, value));
}

const resizeStatuses = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
].sort();

/** A claim's capacity and how far its resize got. */
export function validatePersistentVolumeClaimStatus({ spec, status }: PersistentVolumeClaim): FieldError[] {
  const faults = (spec?.accessModes ?? []).length === 0 ? [required("Spec.accessModes")] : [];
  faults.push(...quantities(status?.capacity, "status.capacity"));
  for (const [name, resize] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    const path = "status.allocatedResourceStatus";
    if (!resizeStatuses.includes(resize)) faults.push(notSupported(path, name, resizeStatuses));
  }
  return [...faults, ...quantities(status?.allocatedResources, "status.allocatedResources")];
}

/** A quota's limits and use. */
export function validateResourceQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return (["hard", "used"] as const).flatMap((side) => validateQuotaAmounts(status?.[side], `status.${side}`));
}
