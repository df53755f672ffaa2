// A bootstrap token with all that is said of it, to and from its Secret (kubeadm's bootstraptoken/v1). Pure.

import type { Secret } from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { formatTime, parseTime } from "@picokube/api/time";
import { ConfigError } from "@picokube/component-base/config-error";
import type { BootstrapToken } from "@picokube/pki/bootstrap-token";
import { bootstrapGroup } from "./names.js";

export const tokenType = "bootstrap.kubernetes.io/token";
const usagePrefix = "usage-bootstrap-";
const knownUsages = ["signing", "authentication"];
const group = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export interface TokenRecord {
  readonly token: BootstrapToken;
  readonly description: string;
  /** Milliseconds since the epoch; undefined for one that never ends. */
  readonly expiresMs: number | undefined;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
}

/** kubeadm's defaults of `token create`. */
export const tokenDefaults = { usages: knownUsages, groups: [bootstrapGroup], ttl: "24h0m0s" } as const;

/** Throws ConfigError on a usage or a group that cannot be. */
export function tokenSecret({ token, description, expiresMs, usages, groups }: TokenRecord): NewObject<Secret> {
  const wrong = usages.find((usage) => !knownUsages.includes(usage));
  if (wrong !== undefined)
    throw new ConfigError(
      `invalid bootstrap token usage string: ${wrong}, valid usage options: ${knownUsages.join(", ")}`,
    );
  const bad = groups.find((name) => !group.test(name));
  if (bad !== undefined)
    throw new ConfigError(
      `bootstrap group ${JSON.stringify(bad)} is invalid (must match \\A${group.source.slice(1, -1)}\\z)`,
    );
  const fields: Record<string, string> = {
    "token-id": token.id,
    "token-secret": token.secret,
    ...(description === "" ? {} : { description }),
    ...(expiresMs === undefined ? {} : { expiration: formatTime(expiresMs) }),
    ...Object.fromEntries(usages.map((usage) => [usagePrefix + usage, "true"])),
    ...(groups.length === 0 ? {} : { "auth-extra-groups": [...groups].sort().join(",") }),
  };
  const data = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
  return {
    metadata: { name: `bootstrap-token-${token.id}`, namespace: "kube-system" },
    type: tokenType,
    data,
  } as NewObject<Secret>;
}

/** Undefined for a Secret that holds no whole token. */
export function tokenRecord({ data }: Secret): TokenRecord | undefined {
  const text = (key: string) => Buffer.from((data?.[key] as string | undefined) ?? "", "base64").toString("utf8");
  const [id, secret, expiration] = [text("token-id"), text("token-secret"), text("expiration")];
  if (id === "" || secret === "") return undefined;
  const usages = Object.keys(data ?? {})
    .filter((key) => key.startsWith(usagePrefix) && text(key) === "true")
    .map((key) => key.slice(usagePrefix.length));
  const groups = text("auth-extra-groups");
  return {
    token: { id, secret },
    description: text("description"),
    expiresMs: expiration === "" ? undefined : (parseTime(expiration) ?? 0),
    usages: usages.sort(),
    groups: groups === "" ? [] : groups.split(","),
  };
}
