// The authorizers in the order of --authorization-mode; the first with an opinion decides.

import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { Authorizer, Decision } from "./authorizer.js";
import { nodeAuthorizer } from "./node.js";
import { rbacAuthorizer } from "./rbac.js";

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

function mode(name: string, storage: StorageRegistry): Authorizer {
  switch (name) {
    case "Node":
      return nodeAuthorizer(storage);
    case "RBAC":
      return rbacAuthorizer(storage);
    case "AlwaysAllow":
      return always("Allow");
    case "AlwaysDeny":
      return always("Deny");
    default:
      throw new ConfigError(`authorization-mode "${name}" is not a valid mode (AlwaysAllow, AlwaysDeny, Node, RBAC)`);
  }
}

/** One authorizer that asks the modes in turn; members of system:masters are allowed before any is asked. */
export function createAuthorizer(
  { authorizationModes }: { readonly authorizationModes: readonly string[] },
  storage: StorageRegistry,
): Authorizer {
  if (authorizationModes.length === 0) throw new ConfigError("at least one authorization-mode must be passed");
  if (new Set(authorizationModes).size !== authorizationModes.length) {
    throw new ConfigError(`authorization-mode [${authorizationModes.join(" ")}] has mode specified more than once`);
  }
  const authorizers = authorizationModes.map((name) => mode(name, storage));
  return {
    name: "union",
    authorize(attributes): Decision {
      if (attributes.user.groups.includes("system:masters")) return { decision: "Allow", reason: "" };
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.decision !== "NoOpinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { decision: "NoOpinion", reason: reasons.join("\n") };
    },
    rulesFor(user, namespace) {
      const sets = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
      return {
        resourceRules: sets.flatMap((set) => set.resourceRules),
        nonResourceRules: sets.flatMap((set) => set.nonResourceRules),
      };
    },
  };
}
