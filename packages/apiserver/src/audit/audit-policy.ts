// The audit policy file (audit.k8s.io/v1 Policy): what is recorded of which request. Reads and checks it; judges with
// audit-level.ts.

import type { FieldError } from "@picokube/api/errors";
import { duplicate, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";

export const LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;
export const STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type Level = (typeof LEVELS)[number];
export type Stage = (typeof STAGES)[number];

/** Upstream's PolicyRule: a request must fit every list that is not empty. */
export interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly {
    readonly group?: string;
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** Throws ConfigError with every fault. */
export async function readAuditPolicy(path: string): Promise<AuditPolicy> {
  const document = await readConfigFile(path, { apiVersion: "audit.k8s.io/v1", kind: "Policy" });
  const policy = document as unknown as AuditPolicy;
  const faults = validateAuditPolicy(policy);
  if (faults.length > 0) {
    const words = faults.map(({ field, message }) => `${field}: ${message}`).join(", ");
    throw new ConfigError(`loading audit policy file: failed to load policy ${path}: ${words}`);
  }
  return policy;
}

/** Upstream: audit/validation.ValidatePolicy. */
export function validateAuditPolicy({ rules, omitStages }: AuditPolicy): FieldError[] {
  const faults = stageFaults(omitStages, "omitStages");
  if (!Array.isArray(rules) || rules.length === 0)
    faults.push(required("rules", "a policy without rules records nothing"));
  else for (const [index, rule] of rules.entries()) faults.push(...ruleFaults(rule, `rules[${index}]`));
  return faults;
}

function ruleFaults(rule: PolicyRule, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (!rule.level) faults.push(required(`${path}.level`));
  else if (!LEVELS.includes(rule.level)) faults.push(notSupported(`${path}.level`, rule.level, LEVELS));
  const urls = rule.nonResourceURLs ?? [];
  for (const [index, url] of urls.entries()) {
    const field = `${path}.nonResourceURLs[${index}]`;
    if (url !== "*" && !url.startsWith("/")) {
      faults.push(invalidValue(field, url, "non-resource URL rules must begin with a '/' character"));
    }
    if (url !== "" && url.slice(0, -1).includes("*")) {
      faults.push(invalidValue(field, url, "non-resource URL wildcards '*' must be the final character of the rule"));
    }
  }
  for (const [index, { group = "", resources = [], resourceNames = [] }] of (rule.resources ?? []).entries()) {
    const field = `${path}.resources[${index}]`;
    if (group !== "" && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(group)) {
      faults.push(invalidValue(`${field}.group`, group, "a lowercase RFC 1123 subdomain is wanted, without a version"));
    }
    if (resourceNames.length > 0 && resources.length === 0) {
      faults.push(
        invalidValue(`${field}.resourceNames`, resourceNames, "using resourceNames requires at least one resource"),
      );
    }
  }
  if (urls.length > 0 && ((rule.resources ?? []).length > 0 || (rule.namespaces ?? []).length > 0)) {
    faults.push(
      invalidValue(
        `${path}.nonResourceURLs`,
        urls,
        "rules cannot apply to both regular resources and non-resource URLs",
      ),
    );
  }
  return [...faults, ...stageFaults(rule.omitStages, `${path}.omitStages`)];
}

function stageFaults(stages: readonly Stage[] | undefined, path: string): FieldError[] {
  return (stages ?? []).flatMap((stage, index) => {
    if (!STAGES.includes(stage)) return [notSupported(`${path}[${index}]`, stage, STAGES)];
    return stages!.indexOf(stage) < index ? [duplicate(`${path}[${index}]`, stage)] : [];
  });
}
