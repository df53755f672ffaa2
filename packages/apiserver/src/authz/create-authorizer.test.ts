// The order of --authorization-mode, what is wrong with it, and what several modes say together.

import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { test } from "tap";
import { plainStorage } from "../testing/plain-storage.js";
import type { Attributes, Authorizer, Decision } from "./authorizer.js";
import { type AuthorizationOptions, createAuthorizer, union } from "./create-authorizer.js";

const made = (authorizationMode: string[], more: Partial<AuthorizationOptions> = {}) =>
  createAuthorizer(
    { authorizationMode, ...more },
    {
      storage: plainStorage(),
      clock: realClock(),
      logger: createLogger({ name: "test" }),
      signal: new AbortController().signal,
    },
  );
const attributes = (...groups: string[]): Attributes => ({ user: { name: "u", groups }, verb: "get", path: "/x" });

const wrong: [modes: string[], more: Partial<AuthorizationOptions>, message: string][] = [
  [[], {}, "at least one authorization-mode must be passed"],
  [["Node", "Magic"], {}, 'authorization-mode "Magic" is not a valid mode'],
  [["RBAC", "Node", "RBAC"], {}, 'authorization-mode ["RBAC" "Node" "RBAC"] has mode specified more than once'],
  [["Webhook"], {}, "authorization-mode Webhook's authorization config file not passed"],
  [
    ["RBAC"],
    { authorizationWebhookConfigFile: "f" },
    "cannot specify --authorization-webhook-config-file without mode Webhook",
  ],
  [
    ["RBAC"],
    { authorizationConfig: "f" },
    "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
  ],
  [["ABAC"], {}, "authorization-mode ABAC is not part of this build"],
  [
    ["Webhook"],
    { authorizationWebhookConfigFile: "f", authorizationWebhookVersion: "v2" },
    'unsupported webhook authorizer version "v2", supported versions are "v1", "v1beta1"',
  ],
];

test("modes that are refused", async (t) => {
  for (const [modes, more, message] of wrong) await t.rejects(made(modes, more), { message });
});

test("AlwaysAllow, AlwaysDeny and system:masters", async (t) => {
  const deny = await made(["AlwaysDeny"]);
  t.same(deny.authorize(attributes()), { decision: "NoOpinion", reason: "Everything is forbidden." });
  t.match(deny.authorize(attributes("system:masters")), { decision: "Allow" });
  const allow = await made(["AlwaysDeny", "AlwaysAllow"]);
  t.match(allow.authorize(attributes()), { decision: "Allow" }, "who denies always has no opinion upstream");
  t.same(allow.rulesFor({ name: "u", groups: [] }, "default").nonResourceRules, [
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ]);
});

test("the first opinion counts, at once or late; errors are told when there is none", async (t) => {
  const asked: string[] = [];
  const saying = (name: string, decision: Decision | Promise<Decision>): Authorizer => ({
    name,
    authorize: () => {
      asked.push(name);
      return decision;
    },
    rulesFor: () => ({
      resourceRules: [],
      nonResourceRules: [],
      ...(name === "late" ? { incomplete: "unknown" } : {}),
    }),
  });
  const none = saying("none", { decision: "NoOpinion", reason: "one" });
  const late = saying("late", Promise.resolve({ decision: "NoOpinion", reason: "two", error: "away" }));
  const yes = saying("yes", { decision: "Allow", reason: "because" });
  const no = saying("no", Promise.resolve({ decision: "Deny", reason: "never" }));
  t.same(union([none, yes]).authorize(attributes()), { decision: "Allow", reason: "because" }, "without waiting");
  t.same(await union([none, late, yes, no]).authorize(attributes()), { decision: "Allow", reason: "because" });
  t.same(await union([late, no, yes]).authorize(attributes()), { decision: "Deny", reason: "never" });
  t.same(asked, ["none", "yes", "none", "late", "yes", "late", "no"], "nobody is asked after an opinion");
  t.same(await union([none, late]).authorize(attributes()), {
    decision: "NoOpinion",
    reason: "one\ntwo",
    error: "away",
  });
  t.equal(union([none, late]).rulesFor({ name: "u", groups: [] }, "d").incomplete, "unknown");
});
