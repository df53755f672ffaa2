// Who asks, as whom they act, and whether they may: the gate that every request and every upgrade passes. Finds nothing
// out itself and answers nobody.

import type { IncomingMessage } from "node:http";
import type { AuditTrail } from "../audit/audit-trail.js";
import type { UserInfo } from "../authn/authenticator.js";
import type { Attributes, Decision } from "../authz/authorizer.js";
import { forbiddenError } from "../authz/forbidden.js";
import { attributesOf } from "../authz/request-attributes.js";
import type { RequestInfo } from "../request/request-info.js";

/** Whose credentials are none. */
const NOBODY: UserInfo = { name: "", groups: [] };

/** How the gate finds out. */
export interface Access {
  /** Who asks. Throws 401. */
  authenticate(request: IncomingMessage): UserInfo | Promise<UserInfo>;
  /** As whom: the same user, or the one it impersonates. Throws 403. */
  impersonate(request: IncomingMessage, user: UserInfo): Promise<UserInfo> | UserInfo;
  /** Whether they may. */
  authorize(attributes: Attributes): Promise<Decision> | Decision;
}

export interface Identity {
  readonly user: UserInfo;
  readonly trail: AuditTrail | undefined;
}

/** Who asks and acts, and the trail that the policy wants of it. At once where the credential is the connection's. Throws 401, 403. */
export function identify(
  access: Access,
  {
    request,
    info,
    begin,
  }: { request: IncomingMessage; info: RequestInfo; begin: (attributes: Attributes) => AuditTrail | undefined },
): Identity | Promise<Identity> {
  const refused = (error: unknown): never => {
    begin(attributesOf(info, NOBODY));
    throw error;
  };
  const acting = (caller: UserInfo): Identity | Promise<Identity> => {
    const trail = begin(attributesOf(info, caller));
    return onceKnown(access.impersonate(request, caller), (user) => {
      if (user !== caller) trail?.impersonates(user);
      return { user, trail };
    });
  };
  let caller: UserInfo | Promise<UserInfo>;
  try {
    caller = access.authenticate(request);
  } catch (error) {
    return refused(error);
  }
  return caller instanceof Promise ? caller.then(acting, refused) : acting(caller);
}

/** Goes on at once where the value is there: a turn of the event loop for each step would cost more than the step. */
function onceKnown<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** At once where memory has the answer. Throws 403, or 500 when it could not be found out (upstream: WithAuthorization). */
export function permit(access: Access, attributes: Attributes, trail: AuditTrail | undefined): Promise<void> | void {
  return onceKnown(access.authorize(attributes), ({ decision, reason, error }) => {
    if (decision === "Allow") return trail?.decided("allow", reason);
    if (error !== undefined) {
      trail?.annotate("authorization.k8s.io/reason", "internal error");
      throw new Error(error);
    }
    trail?.decided("forbid", reason);
    throw forbiddenError(attributes, reason);
  });
}
