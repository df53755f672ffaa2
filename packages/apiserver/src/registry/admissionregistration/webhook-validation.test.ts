// Tests of webhook configurations' and admission policies' validation by table.

import {
  setValidatingAdmissionPolicyDefaults,
  setValidatingWebhookConfigurationDefaults,
} from "@picokube/api/admissionregistration/defaults";
import type { ValidatingAdmissionPolicy, ValidatingWebhookConfiguration } from "@picokube/api/admissionregistration/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateValidatingAdmissionPolicy, validateValidatingAdmissionPolicyBinding } from "./policy-validation.js";
import { validateWebhookConfiguration, validateWebhookConfigurationUpdate } from "./webhook-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const good = {
  name: "a.example.com",
  rules: [rule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { service: { name: "a", namespace: "b" } },
};

function configuration(...webhooks: object[]): ValidatingWebhookConfiguration {
  const result = { metadata: { name: "a" }, webhooks: structuredClone(webhooks) } as never;
  setValidatingWebhookConfigurationDefaults(result);
  return result;
}

const table: [string, object, string[]][] = [
  ["a plain one", good, []],
  [
    "a short name",
    { ...good, name: "a.b" },
    ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
  ],
  [
    "side effects",
    { ...good, sideEffects: "Some" },
    ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
  ],
  [
    "unsaid side effects and versions",
    { ...good, sideEffects: undefined, admissionReviewVersions: [] },
    [
      "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
      "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
    ],
  ],
  [
    "an empty rule",
    { ...good, rules: [{}] },
    ["operations", "apiGroups", "apiVersions", "resources"].map(
      (field) => `webhooks[0].rules[0].${field}: Required value`,
    ),
  ],
  [
    "everything and more",
    { ...good, rules: [{ ...rule, operations: ["*", "CREATE"], resources: ["*/*", "pods"] }] },
    [
      `webhooks[0].rules[0].operations: Invalid value: []admissionregistration.OperationType{"*", "CREATE"}: if '*' is present, must not specify other operations`,
      `webhooks[0].rules[0].resources: Invalid value: []string{"*/*", "pods"}: if '*/*' is present, must not specify other resources`,
    ],
  ],
  [
    "plain HTTP with a query",
    { ...good, clientConfig: { url: "http://me@host/x?a=b" } },
    [
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      'webhooks[0].clientConfig.url: Invalid value: "me": user information is not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL',
    ],
  ],
  ["a URL", { ...good, clientConfig: { url: "https://host:8443/x" } }, []],
  [
    "nowhere",
    { ...good, clientConfig: {} },
    ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"],
  ],
  [
    "a bad service",
    { ...good, clientConfig: { service: { name: "a", path: "x//y", port: 70000 } } },
    [
      "webhooks[0].clientConfig.service.namespace: Required value: service namespace is required",
      "webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
      `webhooks[0].clientConfig.service.path: Invalid value: "x//y": must start with a '/'`,
      'webhooks[0].clientConfig.service.path: Invalid value: "x//y": segment[0] may not be empty',
      'webhooks[0].clientConfig.service.path: Invalid value: "x//y": segment[1] may not be empty',
    ],
  ],
  [
    "a long wait",
    { ...good, timeoutSeconds: 31 },
    ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
  ],
  [
    "two conditions of one name",
    {
      ...good,
      matchConditions: [
        { name: "a", expression: "true" },
        { name: "a", expression: "" },
      ],
    },
    [
      "webhooks[0].matchConditions[1].expression: Required value",
      'webhooks[0].matchConditions[1].name: Duplicate value: "a"',
    ],
  ],
];

for (const [name, webhook, expected] of table) {
  test(`validateWebhookConfiguration: ${name}`, (t) => {
    t.strictSame(words(validateWebhookConfiguration(configuration(webhook))), expected);
    t.end();
  });
}

test("names are unique, unless the stored configuration already repeats one", (t) => {
  const twice = configuration(good, good);
  t.strictSame(words(validateWebhookConfiguration(twice)), ['webhooks[1].name: Duplicate value: "a.example.com"']);
  t.strictSame(words(validateWebhookConfigurationUpdate(twice, twice)), []);
  t.end();
});

const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: "true" }] };
const policies: [string, object, string[]][] = [
  ["a plain one", spec, []],
  [
    "an empty one",
    {},
    [
      "spec.matchConstraints: Required value",
      "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
      "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
    ],
  ],
  [
    "bad parts",
    {
      ...spec,
      failurePolicy: "Retry",
      paramKind: { apiVersion: "a/b/c" },
      variables: [{ name: "in", expression: "1" }],
      validations: [{ expression: "", message: "a\nb", reason: "Because" }],
    },
    [
      'spec.failurePolicy: Unsupported value: "Retry": supported values: "Fail", "Ignore"',
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "spec.paramKind.kind: Required value",
      'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier',
      "spec.validations[0].expression: Required value: expression is not specified",
      'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
      'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
  ],
];

for (const [name, policySpec, expected] of policies) {
  test(`validateValidatingAdmissionPolicy: ${name}`, (t) => {
    const policy = {
      metadata: { name: "a" },
      spec: structuredClone(policySpec),
    } as unknown as ValidatingAdmissionPolicy;
    setValidatingAdmissionPolicyDefaults(policy);
    t.strictSame(words(validateValidatingAdmissionPolicy(policy)), expected);
    t.end();
  });
}

test("validateValidatingAdmissionPolicyBinding", (t) => {
  const binding = { spec: { paramRef: {}, validationActions: ["Warn", "Warn", "Drop"] } };
  t.strictSame(words(validateValidatingAdmissionPolicyBinding(binding as never)), [
    "spec.policyName: Required value",
    "spec.paramRef: Required value: one of name or selector must be specified",
    "spec.paramRef.parameterNotFoundAction: Required value",
    'spec.validationActions[1]: Duplicate value: "Warn"',
    'spec.validationActions[2]: Unsupported value: "Drop": supported values: "Audit", "Deny", "Warn"',
  ]);
  t.end();
});
