// What a valid FlowSchema is, in upstream's words (upstream: ValidateFlowSchema). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { FlowSchema } from "@picokube/api/flowcontrol/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { mandatoryFlowSchemas } from "./mandatory.js";
import { validateStatusConditions } from "./status-condition-validation.js";

type Spec = NonNullable<FlowSchema["spec"]>;
type Rule = NonNullable<Spec["rules"]>[number];
type Subject = Rule["subjects"][number];
type ResourceRule = NonNullable<Rule["resourceRules"]>[number];
type NonResourceRule = NonNullable<Rule["nonResourceRules"]>[number];

const maxMatchingPrecedence = 10000;
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const subjectFields = { User: "user", Group: "group", ServiceAccount: "serviceAccount" } as const;

function validateSubject(subject: Subject, path: string): FieldError[] {
  const kinds = Object.keys(subjectFields).sort();
  const kind = subject.kind as keyof typeof subjectFields;
  if (!kinds.includes(kind)) return [notSupported(`${path}.kind`, kind ?? "", kinds)];
  const own = subjectFields[kind];
  const at = `${path}.${own}`;
  const faults: FieldError[] = [];
  const described: { name?: string; namespace?: string } | undefined = subject[own];
  if (!described) faults.push(required(at, `${own} is required when subject kind is '${kind}'`));
  else {
    const { name = "", namespace = "" } = described;
    const isAccount = kind === "ServiceAccount";
    if (name === "") faults.push(required(`${at}.name`));
    else if (isAccount && name !== "*") faults.push(...objections(`${at}.name`, name, isDNS1123Subdomain(name)));
    if (isAccount && namespace === "") {
      faults.push(required(`${at}.namespace`, "must specify namespace for service account"));
    } else if (isAccount) faults.push(...objections(`${at}.namespace`, namespace, isDNS1123Label(namespace)));
  }
  for (const other of ["ServiceAccount", "User", "Group"] as const) {
    const field = subjectFields[other];
    if (other === kind || subject[field] === undefined) continue;
    faults.push(forbiddenField(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`));
  }
  return faults;
}

function validateVerbs(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path, "verbs must contain at least one value")];
  if (given.includes("*")) {
    const words = "if '*' is present, must not specify other verbs";
    return given.length > 1 ? [invalidValue(path, given, words)] : [];
  }
  return given.every((verb) => verbs.includes(verb)) ? [] : [notSupported(path, given, verbs)];
}

function validateResourceRule(rule: ResourceRule, path: string): FieldError[] {
  const { apiGroups = [], resources = [], namespaces = [], clusterScope } = rule;
  const faults = validateVerbs(rule.verbs ?? [], `${path}.verbs`);
  const lists: [string, readonly string[], string, string][] = [
    ["apiGroups", apiGroups, "resource rules must supply at least one api group", "api groups"],
    ["resources", resources, "resource rules must supply at least one resource", "resources"],
  ];
  for (const [field, list, missing, others] of lists) {
    if (list.length === 0) faults.push(required(`${path}.${field}`, missing));
    else if (list.length > 1 && list.includes("*")) {
      faults.push(invalidValue(`${path}.${field}`, list, `if '*' is present, must not specify other ${others}`));
    }
  }
  const at = `${path}.namespaces`;
  if (namespaces.length === 0) {
    const words = "resource rules that are not cluster scoped must supply at least one namespace";
    return clusterScope ? faults : [...faults, required(at, words)];
  }
  if (namespaces.includes("*")) {
    const words = "if '*' is present, must not specify other namespaces";
    return namespaces.length > 1 ? [...faults, invalidValue(at, namespaces, words)] : faults;
  }
  for (const [index, namespace] of namespaces.entries()) {
    for (const why of isDNS1123Label(namespace)) {
      const words = `each member of this list must be '*' or a DNS-1123 label; ${why}`;
      faults.push(invalidValue(`${at}[${index}]`, namespace, words));
    }
  }
  return faults;
}

/** Upstream's ValidateNonResourceURLPath: the first objection to a path, if any. */
function pathObjection(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path === "/") return undefined;
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const wildcards = path.split("*").length - 1;
  return wildcards > 1 || (wildcards === 1 && !path.endsWith("/*"))
    ? "wildcard can only do suffix matching"
    : undefined;
}

function validateNonResourceRule(rule: NonResourceRule, path: string): FieldError[] {
  const faults = validateVerbs(rule.verbs ?? [], `${path}.verbs`);
  const urls = rule.nonResourceURLs ?? [];
  const at = `${path}.nonResourceURLs`;
  if (urls.length === 0) return [...faults, required(at, "nonResourceURLs must contain at least one value")];
  if (urls.includes("*")) {
    const words = "if '*' is present, must not specify other non-resource URLs";
    return urls.length > 1 ? [...faults, invalidValue(at, urls, words)] : faults;
  }
  for (const [index, url] of urls.entries()) {
    const why = pathObjection(url);
    if (why) faults.push(invalidValue(`${at}[${index}]`, url, why));
  }
  return faults;
}

function validateRule(rule: Rule, path: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  const faults = subjects.flatMap((subject, index) => validateSubject(subject, `${path}.subjects[${index}]`));
  if (subjects.length === 0) faults.push(required(`${path}.subjects`, "subjects must contain at least one value"));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    faults.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  return [
    ...faults,
    ...resourceRules.flatMap((each, index) => validateResourceRule(each, `${path}.resourceRules[${index}]`)),
    ...nonResourceRules.flatMap((each, index) => validateNonResourceRule(each, `${path}.nonResourceRules[${index}]`)),
  ];
}

/** A FlowSchema as it is created and changed. */
export function validateFlowSchema({ metadata, spec = {} as Spec }: FlowSchema): FieldError[] {
  const faults: FieldError[] = [];
  const { matchingPrecedence: precedence = 0, distinguisherMethod: method } = spec;
  const at = "spec.matchingPrecedence";
  if (precedence <= 0) faults.push(invalidValue(at, precedence, "must be a positive value"));
  if (precedence > maxMatchingPrecedence) {
    faults.push(invalidValue(at, precedence, `must not be greater than ${maxMatchingPrecedence}`));
  }
  if (precedence === 1 && metadata.name !== "exempt") {
    faults.push(invalidValue(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  const methods = ["ByNamespace", "ByUser"];
  if (method && !methods.includes(method.type)) {
    faults.push(notSupported("spec.distinguisherMethod.type", method.type ?? "", methods));
  }
  const level = spec.priorityLevelConfiguration?.name ?? "";
  const levelPath = "spec.priorityLevelConfiguration.name";
  if (level === "") faults.push(required(levelPath, "must reference a priority level"));
  else faults.push(...objections(levelPath, level, isDNS1123Subdomain(level)));
  for (const [index, rule] of (spec.rules ?? []).entries()) faults.push(...validateRule(rule, `spec.rules[${index}]`));
  const fixed = mandatoryFlowSchemas.get(metadata.name);
  if (fixed && !semanticDeepEqual(spec, fixed)) {
    faults.push(invalidValue("spec", spec, `spec of '${metadata.name}' must equal the fixed value`));
  }
  return faults;
}

/** What is written to a FlowSchema's status. */
export function validateFlowSchemaStatus({ status }: FlowSchema): FieldError[] {
  return validateStatusConditions(status?.conditions);
}
