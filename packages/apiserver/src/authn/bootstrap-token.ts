// Bootstrap tokens: "id.secret", kept in Secrets bootstrap-token-<id> of kube-system (upstream: auth/authenticator/token/
// bootstrap). Their expiry is checked here; removing them is a controller's.

import { timingSafeEqual } from "node:crypto";
import { type Secret, secrets } from "@picokube/api/core/v1";
import { parseTime } from "@picokube/api/time";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AgnosticAuthenticator } from "./audience-agnostic.js";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const TYPE = "bootstrap.kubernetes.io/token";
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

const text = (secret: Secret, key: string): string =>
  Buffer.from((secret.data?.[key] as string | undefined) ?? "", "base64").toString("utf8");

const same = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));

/** Authenticates as system:bootstrap:<id> in group system:bootstrappers. */
export function bootstrapTokenAuthenticator({
  storage,
  now,
}: {
  storage: StorageRegistry;
  now: () => number;
}): AgnosticAuthenticator {
  return {
    name: "bootstrap-token",
    userOf(token) {
      const [, id = "", secretPart = ""] = TOKEN.exec(token) ?? [];
      if (id === "") return undefined;
      const secret = storage.for(secrets).get("kube-system", `bootstrap-token-${id}`);
      if (!secret || secret.type !== TYPE || secret.metadata.deletionTimestamp !== undefined) return undefined;
      if (text(secret, "token-id") !== id || !same(text(secret, "token-secret"), secretPart)) return undefined;
      const expiration = text(secret, "expiration");
      const expiresAt = parseTime(expiration);
      if (expiration !== "" && (expiresAt === undefined || expiresAt <= now())) return undefined;
      if (text(secret, "usage-bootstrap-authentication") !== "true") return undefined;
      const extraGroups = text(secret, "auth-extra-groups")
        .split(",")
        .map((group) => group.trim())
        .filter((group) => GROUP.test(group));
      return { name: `system:bootstrap:${id}`, groups: ["system:bootstrappers", ...extraGroups] };
    },
  };
}
