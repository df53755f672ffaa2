// tokenreviews and selfsubjectreviews: who a token belongs to, and who I am.

import type { TokenReview } from "@picokube/api/authentication/v1";
import { badRequest } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import type { UserInfo } from "../authn/authenticator.js";
import type { RequestAuthenticator } from "../authn/create-authenticator.js";
import type { ConnectHandler } from "../registry/resource-definition.js";

const GROUP = { group: "authentication.k8s.io", version: "v1" };

/** UserInfo as the API shows it. */
export function shownUser({ name, uid, groups, extra }: UserInfo) {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups: [...groups],
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** POST tokenreviews: a bad token is an answer, not an error. */
export function tokenReviewHandler(authenticator: Pick<RequestAuthenticator, "authenticateToken">): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "TokenReview" },
    async handle({ body }) {
      const review = body as TokenReview;
      if (!review.spec?.token) throw badRequest(`token is required for TokenReview in authentication`);
      try {
        const { user, audiences } = await authenticator.authenticateToken(review.spec.token, review.spec.audiences);
        const status = { authenticated: true, user: shownUser(user), audiences: [...audiences] };
        return { code: 201, object: { ...review, status } };
      } catch (error) {
        const { cause, message } = error as Error;
        const why = cause instanceof Error ? cause.message : message;
        return { code: 201, object: { ...review, status: { authenticated: false, user: {}, error: why } } };
      }
    },
  };
}

/** POST selfsubjectreviews: `kubectl auth whoami`. */
export function selfSubjectReviewHandler(): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { ...GROUP, kind: "SelfSubjectReview" },
    async handle({ context, body }) {
      const metadata = { ...body?.metadata, creationTimestamp: formatTime(context.now()) };
      return { code: 201, object: { ...body, metadata, status: { userInfo: shownUser(context.user) } } };
    },
  };
}
