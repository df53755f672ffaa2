// AuthorizationConfiguration documents and what is wrong with them.

import { test } from "tap";
import { authorizationFaults } from "./authorization-configuration.js";

const webhook = {
  timeout: "3s",
  subjectAccessReviewVersion: "v1",
  failurePolicy: "Deny",
  connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "/etc/hook" },
};
const hook = (more: object = {}) => ({ type: "Webhook", name: "hook", webhook: { ...webhook, ...more } });
const at = "authorizers[0].webhook";

const table: [authorizers: object[], words: string[]][] = [
  [[{ type: "Node", name: "node" }, hook(), { ...hook(), name: "second" }, { type: "RBAC", name: "rbac" }], []],
  [[], ["authorizers: Required value: at least one authorization mode must be defined"]],
  [[{ name: "a" }], ["authorizers[0].type: Required value"]],
  [
    [{ type: "Magic", name: "a" }],
    [
      'authorizers[0].type: Unsupported value: "Magic": supported values: "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
    ],
  ],
  [
    [
      { type: "RBAC", name: "a" },
      { type: "RBAC", name: "b" },
    ],
    ['authorizers[1].type: Duplicate value: "RBAC"'],
  ],
  [[{ type: "RBAC" }], ["authorizers[0].name: Required value"]],
  [[hook(), hook()], ['authorizers[1].name: Duplicate value: "hook"']],
  [[{ type: "Webhook", name: "a" }], [`${at}: Required value: required when type=Webhook`]],
  [
    [{ type: "RBAC", name: "a", webhook }],
    [`${at}: Invalid value: "non-null": may only be specified when type=Webhook`],
  ],
  [[hook({ timeout: undefined })], [`${at}.timeout: Required value`]],
  [[hook({ timeout: "31s" })], [`${at}.timeout: Invalid value: "31s": must be > 0s and <= 30s`]],
  [[hook({ authorizedTTL: "0s" })], [`${at}.authorizedTTL: Invalid value: "0s": must be > 0s`]],
  [
    [hook({ failurePolicy: "Maybe" })],
    [`${at}.failurePolicy: Unsupported value: "Maybe": supported values: "NoOpinion", "Deny"`],
  ],
  [[hook({ subjectAccessReviewVersion: "" })], [`${at}.subjectAccessReviewVersion: Required value`]],
  [[hook({ connectionInfo: { type: "KubeConfigFile" } })], [`${at}.connectionInfo.kubeConfigFile: Required value`]],
  [
    [hook({ matchConditions: [{ expression: "true" }] })],
    [
      `${at}.matchConditions: Forbidden: CEL expressions are not part of this build: let the webhook say that it has no opinion`,
    ],
  ],
];

test("authorizers and what is wrong with them", (t) => {
  for (const [authorizers, expected] of table) {
    const words = authorizationFaults({ authorizers } as never).map(({ field, message }) => `${field}: ${message}`);
    t.same(words, expected);
  }
  t.match(authorizationFaults({ authorizers: [{ type: "RBAC", name: "A b" }] }), [
    { field: "authorizers[0].name", message: /^Invalid value: "A b": authorizer name is invalid: / },
  ]);
  t.end();
});
