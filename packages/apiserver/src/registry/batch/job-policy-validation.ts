// A Job's podFailurePolicy and successPolicy, in upstream's words (upstream: validatePodFailurePolicy,
// validateSuccessPolicy). Pure.

import type { JobSpec } from "@picokube/api/batch/v1";
import {
  duplicate,
  type FieldError,
  invalidOmitted,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { nonnegative, objections } from "../check.js";
import { parseIndexes } from "./indexes.js";

type FailureRule = NonNullable<JobSpec["podFailurePolicy"]>["rules"][number];
type SuccessRule = NonNullable<JobSpec["successPolicy"]>["rules"][number];
type ExitCodes = NonNullable<FailureRule["onExitCodes"]>;

const maxRules = 20;
const maxPatterns = 20;
const maxExitCodes = 255;
const maxIndexesBytes = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

/** As upstream prints a list of strings inside a message. */
const listed = (values: readonly string[]) => `valid values: [${values.map((v) => JSON.stringify(v)).join(" ")}]`;

function choice(path: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  if (!value) return [required(path, listed(supported))];
  return supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

function validateExitCodes(codes: ExitCodes, path: string, names: ReadonlySet<string>): FieldError[] {
  const { operator, containerName, values = [] } = codes;
  const faults = choice(`${path}.operator`, operator, operators);
  if (containerName !== undefined && !names.has(containerName)) {
    const words = "must be one of the container or initContainer names in the pod template";
    faults.push(invalidValue(`${path}.containerName`, containerName, words));
  }
  const at = `${path}.values`;
  if (values.length === 0) faults.push(invalidValue(at, values, "at least one value is required"));
  else if (values.length > maxExitCodes) faults.push(tooMany(at, values.length, maxExitCodes));
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0) {
      faults.push(invalidValue(`${at}[${index}]`, value, "must not be 0 for the In operator"));
    }
    if (values.indexOf(value) < index) faults.push(duplicate(`${at}[${index}]`, value));
  }
  if (values.some((value, index) => index > 0 && values[index - 1]! > value)) {
    faults.push(invalidValue(at, values, "must be ordered"));
  }
  return faults;
}

function validateFailureRule(spec: JobSpec, rule: FailureRule, path: string, names: ReadonlySet<string>): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const faults =
    action === "FailIndex" && spec.backoffLimitPerIndex === undefined
      ? [invalidValue(`${path}.action`, action, "requires the backoffLimitPerIndex to be set")]
      : choice(`${path}.action`, action, actions);
  if (onExitCodes) faults.push(...validateExitCodes(onExitCodes, `${path}.onExitCodes`, names));
  const conditions = `${path}.onPodConditions`;
  if (onPodConditions.length > maxPatterns) {
    faults.push(tooMany(conditions, onPodConditions.length, maxPatterns));
  }
  for (const [index, { type = "", status }] of onPodConditions.entries()) {
    faults.push(...objections(`${conditions}[${index}].type`, type, isQualifiedName(type)));
    faults.push(...choice(`${conditions}[${index}].status`, status, statuses));
  }
  if (onExitCodes && onPodConditions.length > 0) {
    faults.push(invalidOmitted(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    faults.push(invalidOmitted(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return faults;
}

/** What a failed pod means for the Job. */
export function validatePodFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const { containers = [], initContainers = [] } = spec.template?.spec ?? { containers: [] };
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  const at = `${path}.rules`;
  return [
    ...(rules.length > maxRules ? [tooMany(at, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, index) => validateFailureRule(spec, rule, `${at}[${index}]`, names)),
  ];
}

function validateSuccessRule(rule: SuccessRule, path: string, completions: number): FieldError[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  const faults: FieldError[] = [];
  if (count === undefined && indexes === undefined) {
    faults.push(required(path, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  let total = 0;
  const at = `${path}.succeededIndexes`;
  if (indexes !== undefined) {
    if (indexes.length > maxIndexesBytes) faults.push(tooLong(at, maxIndexesBytes));
    const parsed = parseIndexes(indexes, completions);
    if ("why" in parsed) faults.push(invalidValue(at, indexes, `error parsing succeededIndexes: ${parsed.why}`));
    else total = parsed.total;
  }
  if (count === undefined) return faults;
  const countPath = `${path}.succeededCount`;
  faults.push(...nonnegative(countPath, count));
  const limit = (most: number, what: string) =>
    invalidValue(countPath, count, `must be less than or equal to ${most} (the number of ${what})`);
  if (count > completions) faults.push(limit(completions, "specified completions"));
  if (indexes !== undefined && count > total) {
    faults.push(limit(total, "indexes in the specified succeededIndexes field"));
  }
  return faults;
}

/** When an Indexed Job has succeeded before all of its indexes have. */
export function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  if (!spec.successPolicy) return [];
  if (spec.completionMode !== "Indexed") {
    return [invalidValue(path, spec.successPolicy, "requires indexed completion mode")];
  }
  const rules = spec.successPolicy.rules ?? [];
  const at = `${path}.rules`;
  const words = "at least one rules must be specified when the successPolicy is specified";
  return [
    ...(rules.length === 0 ? [required(at, words)] : []),
    ...(rules.length > maxRules ? [tooMany(at, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, index) => validateSuccessRule(rule, `${at}[${index}]`, spec.completions ?? 0)),
  ];
}
