// What a valid Node is, in upstream's words (upstream: ValidateNode, ValidateNodeUpdate). Pure.

import type { Node, Taint } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { ipFamilyOf, isValidCIDR } from "@picokube/api/validation/ip";
import { isQualifiedName, isValidLabelValue } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { nonnegativeQuantity } from "./resource-validation.js";

function validateTaints(taints: readonly Taint[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
  return (taints ?? []).flatMap(({ key, value = "", effect }, index) => {
    const at = `${path}[${index}]`;
    const faults = objections(`${at}.key`, key, isQualifiedName(key ?? ""));
    const words = isValidLabelValue(value);
    if (words.length > 0) faults.push(invalidValue(`${at}.value`, value, words.join(";")));
    if (!effect) faults.push(required(`${at}.effect`));
    else if (!effects.includes(effect)) faults.push(notSupported(`${at}.effect`, effect, effects));
    const pair = `${key}:${effect}`;
    if (seen.has(pair)) {
      const fault = duplicate(at, { key, value, effect });
      faults.push({ ...fault, message: `${fault.message}: taints must be unique by key and effect pair` });
    }
    seen.add(pair);
    return faults;
  });
}

/** A Node as it is registered. */
export function validateNode({ spec }: Node): FieldError[] {
  const faults = validateTaints(spec?.taints, "spec.taints");
  const cidrs = spec?.podCIDRs ?? [];
  for (const [index, cidr] of cidrs.entries()) {
    faults.push(...objections(`spec.podCIDRs[${index}]`, cidr, isValidCIDR(cidr)));
  }
  const families = cidrs.map((cidr) => ipFamilyOf(cidr.split("/")[0]!));
  if (cidrs.length > 2 || (cidrs.length === 2 && families[0] === families[1])) {
    faults.push(invalidValue("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"));
  }
  return faults;
}

/** What the kubelet tells of a node: amounts, and each address once. */
function validateNodeStatus({ status }: Node): FieldError[] {
  const faults = (["capacity", "allocatable"] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, amount]) =>
      nonnegativeQuantity(`status.${list}.${name}`, amount),
    ),
  );
  const seen = new Set<string>();
  for (const [index, { type, address }] of (status?.addresses ?? []).entries()) {
    const pair = JSON.stringify([type, address]);
    if (seen.has(pair)) faults.push(duplicate(`status.addresses[${index}]`, { type, address }));
    seen.add(pair);
  }
  return faults;
}

/** A change of a Node or of its status: its pod CIDRs and provider are set once. */
export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const faults = validateNodeStatus(node);
  const before = old.spec?.podCIDRs ?? [];
  if (before.length > 0 && !semanticDeepEqual(node.spec?.podCIDRs, before)) {
    faults.push(forbiddenField("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old.spec?.providerID && node.spec?.providerID !== old.spec.providerID) {
    faults.push(forbiddenField("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  // Upstream looks for them below metadata.
  faults.push(...validateTaints(node.spec?.taints, "metadata.taints"));
  return before.length === 0
    ? [...faults, ...validateNode({ ...node, spec: { podCIDRs: node.spec?.podCIDRs ?? [] } })]
    : faults;
}
