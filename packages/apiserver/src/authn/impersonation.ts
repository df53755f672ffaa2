// Impersonate-* headers: acting as someone else, where the authorizer lets the real user do so (upstream:
// endpoints/filters/impersonation.go).

import type { IncomingMessage } from "node:http";
import { badRequest } from "@picokube/api/errors";
import type { Attributes, Authorizer } from "../authz/authorizer.js";
import { forbiddenError } from "../authz/forbidden.js";
import { anonymousUser } from "./anonymous.js";
import type { UserInfo } from "./authenticator.js";
import { splitServiceAccountUserName } from "./service-account-claims.js";

const PREFIX = "impersonate-";
const EXTRA_PREFIX = "impersonate-extra-";
const AUTHENTICATED = "system:authenticated";

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

interface Wish {
  readonly name: string;
  readonly uid: string;
  readonly groups: string[];
  readonly extra: { [key: string]: string[] };
}

/** The headers' wish; undefined when there is none. Throws badRequest for groups without a user. */
export function requestedImpersonation(request: IncomingMessage): Wish | undefined {
  // Nearly nobody wishes: the names are looked at before Node.js sorts all headers by theirs.
  return wishes(request) ? readWish(request) : undefined;
}

function wishes({ headers }: IncomingMessage): boolean {
  for (const name in headers) if (name.startsWith(PREFIX)) return true;
  return false;
}

function readWish({ headersDistinct }: IncomingMessage): Wish | undefined {
  const name = headersDistinct["impersonate-user"]?.[0] ?? "";
  const uid = headersDistinct["impersonate-uid"]?.[0] ?? "";
  const groups = headersDistinct["impersonate-group"] ?? [];
  const extra: { [key: string]: string[] } = {};
  for (const [header, values] of Object.entries(headersDistinct)) {
    if (header.startsWith(EXTRA_PREFIX)) extra[unescapeKey(header.slice(EXTRA_PREFIX.length))] = values ?? [];
  }
  if (name === "" && (groups.length > 0 || uid !== "" || Object.keys(extra).length > 0)) {
    throw badRequest("requested impersonation without impersonating a user");
  }
  return name === "" ? undefined : { name, uid, groups, extra };
}

/** The user that the request acts as: user itself, at once, or whom it impersonates. Throws forbidden(). */
export function impersonate(
  request: IncomingMessage,
  user: UserInfo,
  authorizer: Authorizer,
): UserInfo | Promise<UserInfo> {
  const wanted = requestedImpersonation(request);
  return wanted ? actAs(wanted, user, authorizer) : user;
}

async function actAs(wanted: Wish, user: UserInfo, authorizer: Authorizer): Promise<UserInfo> {
  const check = async (
    group: string,
    resource: string,
    name: string,
    options?: { namespace?: string; subresource?: string },
  ) => {
    const attributes: Attributes = {
      user,
      verb: "impersonate",
      path: "",
      resource: {
        group,
        version: "v1",
        resource,
        subresource: options?.subresource ?? "",
        namespace: options?.namespace ?? "",
        name,
      },
    };
    const { decision, reason } = await authorizer.authorize(attributes);
    if (decision !== "Allow") throw forbiddenError(attributes, reason);
  };
  const account = splitServiceAccountUserName(wanted.name);
  if (account) await check("", "serviceaccounts", account.name, { namespace: account.namespace });
  else await check("", "users", wanted.name);
  for (const group of wanted.groups) await check("", "groups", group);
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values) await check("authentication.k8s.io", "userextras", value, { subresource: key });
  }
  if (wanted.uid !== "") await check("authentication.k8s.io", "uids", wanted.uid);

  const groups = [...wanted.groups];
  if (account && groups.length === 0) {
    groups.push("system:serviceaccounts", `system:serviceaccounts:${account.namespace}`);
  }
  const isAnonymous = wanted.name === anonymousUser.name;
  if (isAnonymous && groups.length === 0) groups.push(...anonymousUser.groups);
  if (!isAnonymous && !groups.includes(AUTHENTICATED)) groups.push(AUTHENTICATED);
  return {
    name: wanted.name,
    ...(wanted.uid ? { uid: wanted.uid } : {}),
    groups,
    ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}),
  };
}
