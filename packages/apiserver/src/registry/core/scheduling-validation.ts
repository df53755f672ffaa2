// Where a pod may run: tolerations, affinity, spreading, in upstream's words (upstream: ValidateTolerations,
// validateAffinity, validateTopologySpreadConstraints). Pure.

import type {
  Affinity,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isQualifiedName, isValidLabelValue } from "@picokube/api/validation/names";
import { objections } from "../check.js";
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
        faults.push(invalidValue(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
      }
    } else faults.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
    if (effect && !effects.includes(effect)) faults.push(notSupported(`${at}.effect`, effect, effects));
    return faults;
  });
}

function validateNodeTerm(given: NodeSelectorTerm | undefined, path: string): FieldError[] {
  const term = given ?? {};
  const faults: FieldError[] = [];
  for (const [index, { key, operator, values }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const count = (values ?? []).length;
    if (operator === "In" || operator === "NotIn") {
      if (count === 0) {
        faults.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (count > 0) {
        const words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        faults.push(forbiddenField(`${at}.values`, words));
      }
    } else if (operator === "Gt" || operator === "Lt") {
      if (count !== 1) {
        faults.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
    } else faults.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
    faults.push(...objections(`${at}.key`, key, isQualifiedName(key ?? "")));
  }
  for (const [index, { key, operator, values }] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${index}]`;
    if (operator !== "In" && operator !== "NotIn") {
      faults.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
    } else if ((values ?? []).length !== 1) {
      const words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      faults.push(required(`${at}.values`, words));
    }
    if (key !== "metadata.name") faults.push(invalidValue(`${at}.key`, key, "not a valid field selector key"));
  }
  return faults;
}

function validatePodTerm(given: PodAffinityTerm | undefined, path: string): FieldError[] {
  const term: Partial<PodAffinityTerm> = given ?? {};
  const faults = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ];
  if (!term.topologyKey) faults.push(required(`${path}.topologyKey`, "can not be empty"));
  else faults.push(...objections(`${path}.topologyKey`, term.topologyKey, isQualifiedName(term.topologyKey)));
  return faults;
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
  if (selector) {
    const at = `${path}.nodeAffinity.${requiredField}.nodeSelectorTerms`;
    const terms = selector.nodeSelectorTerms ?? [];
    if (terms.length === 0) faults.push(required(at, "must have at least one node selector term"));
    for (const [index, term] of terms.entries()) faults.push(...validateNodeTerm(term, `${at}[${index}]`));
  }
  for (const [index, { weight, preference }] of (node?.[preferredField] ?? []).entries()) {
    const at = `${path}.nodeAffinity.${preferredField}[${index}]`;
    faults.push(...validateWeight(weight, at), ...validateNodeTerm(preference, `${at}.preference`));
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

/** How evenly pods spread. */
export function validateTopologySpreadConstraints(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  return (constraints ?? []).flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector } = constraint;
    const faults: FieldError[] = [];
    if (!(maxSkew > 0)) faults.push(invalidValue(`${at}.maxSkew`, maxSkew, "must be greater than 0"));
    if (!topologyKey) faults.push(required(`${at}.topologyKey`, "can not be empty"));
    else faults.push(...objections(`${at}.topologyKey`, topologyKey, isQualifiedName(topologyKey)));
    if (!actions.includes(whenUnsatisfiable)) {
      faults.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions));
    }
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) faults.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    if (minDomains !== undefined && minDomains <= 0) {
      faults.push(invalidValue(`${at}.minDomains`, minDomains, "must be greater than 0"));
    } else if (minDomains !== undefined && whenUnsatisfiable !== "DoNotSchedule") {
      const words = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      faults.push(invalidValue(`${at}.minDomains`, minDomains, words));
    }
    return [...faults, ...validateLabelSelector(labelSelector, `${at}.labelSelector`)];
  });
}
