// Every handler that answers a POST by code, under the keys that the registry places them by.

import type { RequestAuthenticator } from "../authn/create-authenticator.js";
import { loadSigningKey } from "../authn/service-account-keys.js";
import { createTokenSigner } from "../authn/token-signer.js";
import type { Authorizer } from "../authz/authorizer.js";
import type { ConnectKey } from "../registry/index.js";
import type { ConnectHandler } from "../registry/resource-definition.js";
import {
  localSubjectAccessReviewHandler,
  selfSubjectAccessReviewHandler,
  selfSubjectRulesReviewHandler,
  subjectAccessReviewHandler,
} from "./access-reviews.js";
import { selfSubjectReviewHandler, tokenReviewHandler } from "./authentication-reviews.js";
import { bindingHandler } from "./binding.js";
import { type DeletePod, evictionHandler } from "./eviction.js";
import { tokenRequestHandler } from "./token-request.js";

export interface ConnectOptions {
  /** Asked at each request, so that handlers may be made before storage, which both are made of. */
  authorizer(): Authorizer;
  authenticator(): RequestAuthenticator;
  readonly deletePod: DeletePod;
  /** "": tokens are not handed out. */
  readonly serviceAccountSigningKeyFile: string;
  /** The first one signs. */
  readonly serviceAccountIssuer: readonly string[];
  readonly apiAudiences: readonly string[];
  /** 0: no bound. */
  readonly serviceAccountMaxTokenExpirationSeconds: number;
  readonly serviceAccountExtendTokenExpiration: boolean;
}

function tokens(options: ConnectOptions): { "serviceaccounts/token"?: ConnectHandler } {
  if (options.serviceAccountSigningKeyFile === "") return {};
  const { privateKey, verification } = loadSigningKey(options.serviceAccountSigningKeyFile);
  const [issuer = ""] = options.serviceAccountIssuer;
  const handler = tokenRequestHandler({
    signer: createTokenSigner({ privateKey, verification, issuer }),
    apiAudiences: options.apiAudiences.length > 0 ? options.apiAudiences : options.serviceAccountIssuer,
    maxExpirationSeconds: options.serviceAccountMaxTokenExpirationSeconds,
    extendExpiration: options.serviceAccountExtendTokenExpiration,
  });
  return { "serviceaccounts/token": handler };
}

/** The record that builtinDefinitions takes as connect; throws ConfigError for an unusable key file. */
export function createConnectHandlers(options: ConnectOptions): { [key in ConnectKey]?: ConnectHandler } {
  const authorizer: Authorizer = {
    name: "union",
    authorize: (attributes) => options.authorizer().authorize(attributes),
    rulesFor: (user, namespace) => options.authorizer().rulesFor(user, namespace),
  };
  return {
    "pods/binding": bindingHandler({ wholeResource: false }),
    bindings: bindingHandler({ wholeResource: true }),
    "pods/eviction": evictionHandler({ deletePod: options.deletePod }),
    ...tokens(options),
    tokenreviews: tokenReviewHandler({
      authenticateToken: (token, audiences) => options.authenticator().authenticateToken(token, audiences),
    }),
    selfsubjectreviews: selfSubjectReviewHandler(),
    subjectaccessreviews: subjectAccessReviewHandler(authorizer),
    localsubjectaccessreviews: localSubjectAccessReviewHandler(authorizer),
    selfsubjectaccessreviews: selfSubjectAccessReviewHandler(authorizer),
    selfsubjectrulesreviews: selfSubjectRulesReviewHandler(authorizer),
  };
}
