// Who may do what: the interface of every authorisation mode. --authorization-mode orders them; the first that does not
// say NoOpinion decides.

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
  };
  readonly path: string;
}

export interface Decision {
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  readonly reason: string;
}

/** What SelfSubjectRulesReview answers with. */
export interface RuleSet {
  readonly resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames?: string[] }[];
  readonly nonResourceRules: { verbs: string[]; nonResourceURLs: string[] }[];
}

export interface Authorizer {
  readonly name: string;
  authorize(attributes: Attributes): Decision;
  rulesFor(user: UserInfo, namespace: string): RuleSet;
}
