// The authorizers in the order of --authorization-mode; the first with an opinion decides.

import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AuthorizerConfiguration } from "./authorization-configuration.js";
import type { Attributes, Authorizer, Decision } from "./authorizer.js";
import { nodeAuthorizer } from "./node.js";
import { rbacAuthorizer } from "./rbac.js";
import type { WebhookDependencies } from "./webhook.js";

function always(decision: "Allow" | "Deny"): Authorizer {
  const everything = decision === "Allow" ? ["*"] : [];
  return {
    name: `Always${decision}`,
    authorize: () =>
      decision === "Allow"
        ? { decision: "Allow", reason: "" }
        : { decision: "NoOpinion", reason: "Everything is forbidden." },
    rulesFor: () =>
      everything.length === 0
        ? { resourceRules: [], nonResourceRules: [] }
        : {
            resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
            nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          },
  };
}

/** Upstream's flags, in camel case; "" is unset. */
export interface AuthorizationOptions extends Partial<WebhookFlags> {
  readonly authorizationMode: readonly string[];
  /** An AuthorizationConfiguration file instead of the other flags. */
  readonly authorizationConfig?: string;
}

interface WebhookFlags {
  readonly authorizationWebhookConfigFile: string;
  readonly authorizationWebhookVersion: string;
  readonly authorizationWebhookCacheAuthorizedTtl: number;
  readonly authorizationWebhookCacheUnauthorizedTtl: number;
}

export interface AuthorizerDependencies extends WebhookDependencies {
  readonly storage: StorageRegistry;
}

const DEFAULT_MODES = "Node,RBAC";
const MODES = ["AlwaysAllow", "AlwaysDeny", "Webhook", "RBAC", "Node"];

/** Upstream: BuiltInAuthorizationOptions.Validate. Throws ConfigError. */
function checkModes({ authorizationMode: modes, authorizationWebhookConfigFile = "" }: AuthorizationOptions): void {
  const fail = (words: string) => {
    throw new ConfigError(words);
  };
  if (modes.length === 0) fail("at least one authorization-mode must be passed");
  if (modes.includes("ABAC")) fail("authorization-mode ABAC is not part of this build");
  for (const mode of modes) {
    if (!MODES.includes(mode)) fail(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`);
  }
  const withWebhook = modes.includes("Webhook");
  if (withWebhook && authorizationWebhookConfigFile === "") {
    fail("authorization-mode Webhook's authorization config file not passed");
  }
  if (!withWebhook && authorizationWebhookConfigFile !== "") {
    fail("cannot specify --authorization-webhook-config-file without mode Webhook");
  }
  if (new Set(modes).size !== modes.length) {
    const list = modes.map((mode) => JSON.stringify(mode)).join(" ");
    fail(`authorization-mode [${list}] has mode specified more than once`);
  }
}

/** The flags' authorizers, or the file's. Throws ConfigError. */
async function configured(options: AuthorizationOptions): Promise<readonly AuthorizerConfiguration[]> {
  if (options.authorizationConfig) {
    if (options.authorizationMode.join() !== DEFAULT_MODES || options.authorizationWebhookConfigFile) {
      throw new ConfigError(
        "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined",
      );
    }
    const { readAuthorizationConfiguration } = await import("./authorization-configuration.js");
    return readAuthorizationConfiguration(options.authorizationConfig);
  }
  checkModes(options);
  const webhook = {
    configFile: options.authorizationWebhookConfigFile ?? "",
    version: options.authorizationWebhookVersion ?? "v1beta1",
    authorizedTtlMs: options.authorizationWebhookCacheAuthorizedTtl ?? 300_000,
    unauthorizedTtlMs: options.authorizationWebhookCacheUnauthorizedTtl ?? 30_000,
  };
  return options.authorizationMode.map((type) => (type === "Webhook" ? { type, webhook } : { type }));
}

async function authorizerOf(
  { type, webhook }: AuthorizerConfiguration,
  dependencies: AuthorizerDependencies,
): Promise<Authorizer> {
  switch (type) {
    case "Node":
      return nodeAuthorizer(dependencies.storage);
    case "RBAC":
      return rbacAuthorizer(dependencies.storage);
    case "Webhook": {
      // Loaded only where it is asked for: the client weighs more than the rest of authorisation.
      const { openWebhookAuthorizer } = await import("./webhook.js");
      return openWebhookAuthorizer(webhook!, dependencies);
    }
    default:
      return always(type === "AlwaysAllow" ? "Allow" : "Deny");
  }
}

/** One authorizer that asks the modes in turn; members of system:masters are allowed before any is asked. */
export async function createAuthorizer(
  options: AuthorizationOptions,
  dependencies: AuthorizerDependencies,
): Promise<Authorizer> {
  const authorizers: Authorizer[] = [];
  for (const each of await configured(options)) authorizers.push(await authorizerOf(each, dependencies));
  return union(authorizers);
}

/** Upstream: union.New behind authorizerfactory.NewPrivilegedGroups. */
export function union(authorizers: readonly Authorizer[]): Authorizer {
  return {
    name: "union",
    authorize(attributes) {
      if (attributes.user.groups.includes("system:masters")) return { decision: "Allow", reason: "" };
      return ask(authorizers, attributes);
    },
    rulesFor(user, namespace) {
      const sets = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
      const incomplete = sets.flatMap((set) => set.incomplete ?? []);
      return {
        resourceRules: sets.flatMap((set) => set.resourceRules),
        nonResourceRules: sets.flatMap((set) => set.nonResourceRules),
        ...(incomplete.length > 0 ? { incomplete: aggregate(incomplete) } : {}),
      };
    },
  };
}

/** Goes on without waiting as long as answers come at once. */
function ask(
  authorizers: readonly Authorizer[],
  attributes: Attributes,
  { from = 0, reasons = [], errors = [] }: { from?: number; reasons?: string[]; errors?: string[] } = {},
): Decision | Promise<Decision> {
  const settled = (answer: Decision): Decision | undefined => {
    if (answer.error) errors.push(answer.error);
    if (answer.decision !== "NoOpinion") return answer;
    if (answer.reason !== "") reasons.push(answer.reason);
    return undefined;
  };
  for (let index = from; index < authorizers.length; index++) {
    const answer = authorizers[index]!.authorize(attributes);
    if (answer instanceof Promise) {
      return answer.then((late) => settled(late) ?? ask(authorizers, attributes, { from: index + 1, reasons, errors }));
    }
    const decision = settled(answer);
    if (decision) return decision;
  }
  const error = errors.length > 0 ? { error: aggregate(errors) } : {};
  return { decision: "NoOpinion", reason: reasons.join("\n"), ...error };
}

/** Several errors as Go's utilerrors.NewAggregate prints them. */
function aggregate(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(", ")}]`;
}
