// Registry credentials out of imagePullSecrets (kubernetes.io/dockerconfigjson and dockercfg). Pure.

import type { Secret } from "@picokube/api/core/v1";
import { parseImageReference } from "./image-reference.js";

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
}

interface AuthEntry {
  username?: string;
  password?: string;
  auth?: string;
}

function entriesOf(secret: Secret): [string, AuthEntry][] {
  const read = (key: string): unknown => {
    const data = secret.data?.[key];
    return data === undefined ? undefined : JSON.parse(Buffer.from(data, "base64").toString());
  };
  const config = read(".dockerconfigjson") as { auths?: Record<string, AuthEntry> } | undefined;
  const entries = config?.auths ?? (read(".dockercfg") as Record<string, AuthEntry> | undefined) ?? {};
  return Object.entries(entries);
}

function credentialsOf(server: string, { username, password, auth }: AuthEntry): Credentials {
  if (auth === undefined) return { username: username ?? "", password: password ?? "", serverAddress: server };
  const decoded = Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), serverAddress: server };
}

/** Whether a key of the auths map ("https://index.docker.io/v1/", "*.example.com/team") covers the image. */
export function coversImage(key: string, image: string): boolean {
  const { registry, repository } = parseImageReference(image);
  const [host = "", ...path] = key.replace(/^https?:\/\//, "").split("/");
  const named = host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
  const prefix = path.filter((part) => part !== "" && part !== "v1" && part !== "v2").join("/");
  const patterns = named.split(".");
  const words = registry.split(".");
  const hostMatches =
    patterns.length === words.length &&
    patterns.every((pattern, index) =>
      new RegExp(
        `^${pattern
          .replace(/[.+^${}()|[\]\\]/g, "\\$&")
          .replaceAll("*", ".*")
          .replaceAll("?", ".")}$`,
      ).test(words[index]!),
    );
  return hostMatches && (prefix === "" || repository === prefix || repository.startsWith(`${prefix}/`));
}

/** Credentials for the image, the most specific key first. */
export function credentialsFor(image: string, secrets: readonly Secret[]): Credentials[] {
  return secrets
    .flatMap(entriesOf)
    .filter(([key]) => coversImage(key, image))
    .sort(([a], [b]) => b.length - a.length)
    .map(([key, entry]) => credentialsOf(key, entry));
}
