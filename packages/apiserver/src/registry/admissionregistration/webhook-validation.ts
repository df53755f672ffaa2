// What valid webhook configurations are, in upstream's words (upstream: ValidateValidatingWebhookConfiguration and its
// mutating twin). Pure; no webhook is called and no expression compiled.

import type {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "@picokube/api/admissionregistration/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { isDNS1035Label } from "@picokube/api/validation/names";
import { fullyQualifiedName, objections, oneOfIfSet } from "../check.js";
import { validateLabelSelector } from "../label-validation.js";
import { validateWebhookClientConfig } from "../webhook-client-validation.js";
import { validateMatchConditions } from "./match-condition-validation.js";
import { failurePolicies, matchPolicies, validateRuleWithOperations } from "./rule-validation.js";

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;
type Webhook = NonNullable<MutatingWebhookConfiguration["webhooks"]>[number];

/** What is not asked of an update because the stored object already breaks it. */
interface Strictness {
  readonly matchConditions: boolean;
  readonly noSideEffects: boolean;
  readonly knownReviewVersion: boolean;
  readonly uniqueNames: boolean;
}

const strict: Strictness = { matchConditions: true, noSideEffects: true, knownReviewVersion: true, uniqueNames: true };
const reviewVersions = ["v1", "v1beta1"];
const noSideEffects = ["None", "NoneOnDryRun"];
const allSideEffects = ["None", "NoneOnDryRun", "Some", "Unknown"];

function validateReviewVersions(versions: readonly string[], path: string, { knownReviewVersion }: Strictness) {
  if (versions.length === 0) return [required(path, `must specify one of ${reviewVersions.join(", ")}`)];
  const faults: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const at = `${path}[${index}]`;
    if (seen.has(version)) faults.push(invalidValue(at, version, "duplicate version"));
    else faults.push(...objections(at, version, isDNS1035Label(version)));
    seen.add(version);
  }
  if (knownReviewVersion && !reviewVersions.some((version) => seen.has(version))) {
    faults.push(invalidValue(path, versions, `must include at least one of ${reviewVersions.join(", ")}`));
  }
  return faults;
}

function validateSideEffects(sideEffects: string | undefined, path: string, supported: readonly string[]) {
  if (sideEffects === undefined) return [required(path, `must specify one of ${supported.join(", ")}`)];
  return supported.includes(sideEffects) ? [] : [notSupported(path, sideEffects, supported)];
}

function validateWebhook(webhook: Webhook, path: string, strictness: Strictness): FieldError[] {
  const faults = fullyQualifiedName(`${path}.name`, webhook.name);
  for (const [index, rule] of (webhook.rules ?? []).entries()) {
    faults.push(...validateRuleWithOperations(rule, `${path}.rules[${index}]`));
  }
  const supported = strictness.noSideEffects ? noSideEffects : allSideEffects;
  faults.push(
    ...oneOfIfSet(`${path}.failurePolicy`, webhook.failurePolicy, failurePolicies),
    ...oneOfIfSet(`${path}.matchPolicy`, webhook.matchPolicy, matchPolicies),
    ...validateSideEffects(webhook.sideEffects, `${path}.sideEffects`, supported),
  );
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds > 30 || seconds < 1)) {
    faults.push(invalidValue(`${path}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds"));
  }
  return [
    ...faults,
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
    ...oneOfIfSet(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ["IfNeeded", "Never"]),
    ...validateWebhookClientConfig(webhook.clientConfig, `${path}.clientConfig`),
    ...(strictness.matchConditions ? validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`) : []),
    ...validateReviewVersions(webhook.admissionReviewVersions ?? [], `${path}.admissionReviewVersions`, strictness),
  ];
}

function validateWebhooks({ webhooks }: Configuration, strictness: Strictness): FieldError[] {
  const names = new Set<string>();
  return ((webhooks ?? []) as Webhook[]).flatMap((webhook, index) => {
    const path = `webhooks[${index}]`;
    const faults = validateWebhook(webhook, path, strictness);
    if (strictness.uniqueNames && webhook.name) {
      if (names.has(webhook.name)) faults.push(duplicate(`${path}.name`, webhook.name));
      names.add(webhook.name);
    }
    return faults;
  });
}

/** Either kind of configuration as it is created. */
export function validateWebhookConfiguration(configuration: Configuration): FieldError[] {
  return validateWebhooks(configuration, strict);
}

/** A change: what the stored configuration already breaks is not asked of the new one. */
export function validateWebhookConfigurationUpdate(configuration: Configuration, old: Configuration): FieldError[] {
  const before = (old.webhooks ?? []) as Webhook[];
  const conditions = ({ webhooks }: Configuration) => (webhooks ?? []).map(({ matchConditions }) => matchConditions);
  return validateWebhooks(configuration, {
    matchConditions: !semanticDeepEqual(conditions(configuration), conditions(old)),
    noSideEffects: before.every(({ sideEffects }) => noSideEffects.includes(sideEffects ?? "")),
    knownReviewVersion: before.every(
      ({ admissionReviewVersions: versions = [] }) =>
        versions.length === 0 || versions.some((version) => reviewVersions.includes(version)),
    ),
    uniqueNames: new Set(before.map(({ name }) => name)).size === before.length,
  });
}
