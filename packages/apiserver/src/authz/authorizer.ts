// Who may do what: the interface of every authorisation mode. --authorization-mode orders them; the first that does not
// say NoOpinion decides.

import type { FieldRequirement } from "@picokube/api/selectors/fields";
import type { Requirement } from "@picokube/api/selectors/labels";
import type { UserInfo } from "../authn/authenticator.js";

export interface Attributes {
  readonly user: UserInfo;
  /** get, list, watch, create, update, patch, delete, deletecollection, or for paths the method in lower case. */
  readonly verb: string;
  /** Set for resource requests; path alone otherwise. */
  readonly resource?: {
    readonly group: string;
    readonly version: string;
    readonly resource: string;
    readonly subresource: string;
    /** Empty when cluster-scoped or over all namespaces. */
    readonly namespace: string;
    /** Empty for list, create and deletecollection. */
    readonly name: string;
    /** What a list, watch or deletecollection is narrowed to; absent when it is not. */
    readonly fieldSelector?: readonly FieldRequirement[];
    readonly labelSelector?: readonly Requirement[];
  };
  readonly path: string;
}

export interface Decision {
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  readonly reason: string;
  /** Why the question could not be answered; it is still open then unless the decision is Allow. */
  readonly error?: string;
}

/** What SelfSubjectRulesReview answers with. */
export interface RuleSet {
  readonly resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames?: string[] }[];
  readonly nonResourceRules: { verbs: string[]; nonResourceURLs: string[] }[];
  /** Why there may be more rights than these. */
  readonly incomplete?: string;
}

export interface Authorizer {
  readonly name: string;
  /** At once where memory has the answer: only who asks another process makes a request wait. */
  authorize(attributes: Attributes): Decision | Promise<Decision>;
  rulesFor(user: UserInfo, namespace: string): RuleSet;
}

/** An authorizer that never asks another process. */
export interface LocalAuthorizer extends Authorizer {
  authorize(attributes: Attributes): Decision;
}
