// Where a pod may run: tolerations, affinity, spreading, in upstream's words (upstream: ValidateTolerations,
// validateAffinity, validateTopologySpreadConstraints). Pure.

import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "@picokube/api/core/v1";
import type { LabelSelector } from "@picokube/api/meta/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName, isValidLabelValue } from "@picokube/api/validation/names";
import { objections, oneOfIfSet } from "../check.js";
import { validateLabelSelector } from "../label-validation.js";

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** A pod's tolerations. */
export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: string): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) => {
    const at = `${path}[${index}]`;
    const faults: FieldError[] = [];
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    if (key) faults.push(...objections(`${at}.key`, key, isQualifiedName(key ?? "")));
    if (!key && operator !== "Exists") {
      const words = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      faults.push(invalidValue(`${at}.operator`, operator ?? "", words));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const words = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      faults.push(invalidValue(`${at}.effect`, effect ?? "", words));
    }
    if (!operator || operator === "Equal") {
      const words = isValidLabelValue(value ?? "");
      if (words.length > 0) faults.push(invalidValue(`${at}.operator`, value, words.join(";")));
    } else if (operator === "Exists") {
      if (value) {
        faults.push(invalidValue(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      }
    } else faults.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
    if (effect && !effects.includes(effect)) faults.push(notSupported(`${at}.effect`, effect, effects));
    return faults;
  });
}

function validateNodeRequirement(
  { key = "", operator, values = [] }: NodeSelectorRequirement,
  path: string,
  { checksValues }: { checksValues: boolean },
): FieldError[] {
  const faults: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      faults.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    const words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    if (values.length > 0) faults.push(forbiddenField(`${path}.values`, words));
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      faults.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else faults.push(invalidValue(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  faults.push(...objections(`${path}.key`, key, isQualifiedName(key)));
  if (!checksValues) return faults;
  const wrong = values.flatMap((value, index) =>
    objections(`${path}.values[${index}]`, value, isValidLabelValue(value)),
  );
  return [...faults, ...wrong];
}

function validateNodeFieldRequirement(
  { key = "", operator, values = [] }: NodeSelectorRequirement,
  path: string,
): FieldError[] {
  const faults: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    faults.push(invalidValue(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  } else if (values.length !== 1) {
    const words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    faults.push(required(`${path}.values`, words));
  }
  if (key !== "metadata.name") return [...faults, invalidValue(`${path}.key`, key, "not a valid field selector key")];
  const names = values.flatMap((name, index) => objections(`${path}.values[${index}]`, name, isDNS1123Subdomain(name)));
  return [...faults, ...names];
}

function validateNodeTerm(
  term: NodeSelectorTerm | undefined,
  path: string,
  options: { checksValues: boolean },
): FieldError[] {
  return [
    ...(term?.matchExpressions ?? []).flatMap((requirement, index) =>
      validateNodeRequirement(requirement, `${path}.matchExpressions[${index}]`, options),
    ),
    ...(term?.matchFields ?? []).flatMap((requirement, index) =>
      validateNodeFieldRequirement(requirement, `${path}.matchFields[${index}]`),
    ),
  ];
}

/** The nodes that something must be on (upstream: ValidateNodeSelector). */
export function validateNodeSelector(selector: NodeSelector, path: string): FieldError[] {
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap((term, index) => validateNodeTerm(term, `${at}[${index}]`, { checksValues: true }));
}

function validateLabelKeys(keys: readonly string[], selector: LabelSelector | undefined, path: string): FieldError[] {
  if (keys.length === 0) return [];
  if (!selector) return [forbiddenField(path, "must not be specified when labelSelector is not set")];
  return keys.flatMap((key, index) => objections(`${path}[${index}]`, key, isQualifiedName(key)));
}

/** matchLabelKeys and mismatchLabelKeys, whose selector already has what admission made of them. */
function validateMatchKeys(term: Partial<PodAffinityTerm>, path: string): FieldError[] {
  const { matchLabelKeys: keys = [], mismatchLabelKeys: others = [], labelSelector: selector } = term;
  const faults = [
    ...validateLabelKeys(keys, selector, `${path}.matchLabelKeys`),
    ...validateLabelKeys(others, selector, `${path}.mismatchLabelKeys`),
  ];
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    if (keys.includes(key) && seen.has(key)) {
      const words = "exists in both matchLabelKeys and labelSelector";
      faults.push(invalidValue(`${path}[${keys.indexOf(key)}]`, key, words));
    }
    seen.add(key);
  }
  for (const [index, key] of keys.entries()) {
    if (!others.includes(key)) continue;
    const words = "exists in both matchLabelKeys and mismatchLabelKeys";
    faults.push(invalidValue(`${path}.matchLabelKeys[${index}]`, key, words));
  }
  return faults;
}

function validatePodTerm(given: PodAffinityTerm | undefined, path: string): FieldError[] {
  const term: Partial<PodAffinityTerm> = given ?? {};
  const { topologyKey = "" } = term;
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => objections(`${path}.namespace`, name, isDNS1123Label(name))),
    ...validateMatchKeys(term, path),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, "can not be empty")]),
    ...objections(`${path}.topologyKey`, topologyKey, isQualifiedName(topologyKey)),
  ];
}

function validateWeight(weight: number, path: string): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(`${path}.weight`, weight, "must be in the range 1-100")];
}

/** A pod's affinity to nodes and to other pods. */
export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const requiredField = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferredField = "preferredDuringSchedulingIgnoredDuringExecution";
  const node = affinity?.nodeAffinity;
  const selector = node?.[requiredField];
  if (selector) faults.push(...validateNodeSelector(selector, `${path}.nodeAffinity.${requiredField}`));
  for (const [index, { weight, preference }] of (node?.[preferredField] ?? []).entries()) {
    const at = `${path}.nodeAffinity.${preferredField}[${index}]`;
    faults.push(...validateWeight(weight, at));
    faults.push(...validateNodeTerm(preference, `${at}.preference`, { checksValues: false }));
  }
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const terms = affinity?.[kind];
    for (const [index, term] of (terms?.[requiredField] ?? []).entries()) {
      faults.push(...validatePodTerm(term, `${path}.${kind}.${requiredField}[${index}]`));
    }
    for (const [index, { weight, podAffinityTerm }] of (terms?.[preferredField] ?? []).entries()) {
      const at = `${path}.${kind}.${preferredField}[${index}]`;
      faults.push(...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`));
    }
  }
  return faults;
}

/** matchLabelKeys of a spread constraint, none of which its selector has already. */
function validateSpreadKeys({ matchLabelKeys: keys = [], labelSelector }: TopologySpreadConstraint, path: string) {
  if (keys.length === 0) return [];
  const faults = labelSelector ? [] : [forbiddenField(path, "must not be specified when labelSelector is not set")];
  const selected = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ]);
  for (const [index, key] of keys.entries()) {
    const at = `${path}[${index}]`;
    faults.push(...objections(at, key, isQualifiedName(key)));
    if (selected.has(key)) faults.push(invalidValue(at, key, "exists in both matchLabelKeys and labelSelector"));
  }
  return faults;
}

/** How evenly pods spread. */
export function validateTopologySpreadConstraints(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  const policies = ["Honor", "Ignore"];
  const list = constraints ?? [];
  return list.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable = "", minDomains, labelSelector } = constraint;
    const faults: FieldError[] = [];
    if (!(maxSkew > 0)) faults.push(invalidValue(`${at}.maxSkew`, maxSkew ?? 0, "must be greater than zero"));
    if (!topologyKey) faults.push(required(`${at}.topologyKey`, "can not be empty"));
    if (!actions.includes(whenUnsatisfiable)) {
      faults.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions));
    }
    const repeats = list
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (repeats) faults.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    if (minDomains !== undefined) {
      if (minDomains <= 0) faults.push(invalidValue(`${at}.minDomains`, minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const words = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        faults.push(invalidValue(`${at}.minDomains`, minDomains, words));
      }
    }
    return [
      ...faults,
      ...oneOfIfSet(`${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, policies),
      ...oneOfIfSet(`${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, policies),
      ...validateSpreadKeys(constraint, `${at}.matchLabelKeys`),
      ...validateLabelSelector(labelSelector, `${at}.labelSelector`),
    ];
  });
}
