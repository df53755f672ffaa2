// `picokube token create|list|delete|generate`: the tokens by which machines join, as kubeadm token has them.

import { secrets } from "@picokube/api/core/v1";
import { isAlreadyExists, isNotFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import { ConfigError } from "@picokube/component-base/config-error";
import { parseDuration } from "@picokube/component-base/duration";
import {
  formatBootstrapToken,
  generateBootstrapToken,
  isBootstrapTokenId,
  parseBootstrapToken,
} from "@picokube/pki/bootstrap-token";
import { requireCluster } from "../cluster/cluster.js";
import { type TokenRecord, tokenRecord, tokenSecret, tokenType } from "../join/token-secret.js";
import { adminClient } from "../steps/admin-client.js";
import { joinCommand } from "../steps/joining.js";
import { printTable } from "./print-table.js";

export interface TokenFlags {
  readonly dataDir: string;
  readonly description: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  /** A Go duration; 0 is for ever. */
  readonly ttl: string;
  readonly printJoinCommand: boolean;
}

/** Prints the token, or the whole line by which a machine joins with it. */
export async function createToken(given: string | undefined, flags: TokenFlags): Promise<void> {
  const cluster = requireCluster(flags.dataDir);
  const token = given === undefined ? generateBootstrapToken() : parseBootstrapToken(given);
  const { description, groups, usages } = flags;
  const ttlMs = ttlOf(flags.ttl);
  const expiresMs = ttlMs === 0 ? undefined : Date.now() + ttlMs;
  const secret = tokenSecret({ token, description, groups, usages, expiresMs });
  await adminClient(cluster)
    .create(secrets, secret)
    .catch((error: unknown) => {
      if (isAlreadyExists(error)) throw new ConfigError(`a token with id "${token.id}" already exists`);
      throw error;
    });
  const text = formatBootstrapToken(token);
  console.log(flags.printJoinCommand ? joinCommand(cluster, text) : text);
}

function ttlOf(text: string): number {
  try {
    const ttlMs = parseDuration(text);
    if (ttlMs < 0) throw new Error("a token cannot end before it begins");
    return ttlMs;
  } catch (error) {
    throw new ConfigError(`invalid argument "${text}" for "--ttl": ${(error as Error).message}`, { cause: error });
  }
}

/** Prints a row a token. */
export async function listTokens(dataDir: string): Promise<void> {
  const client = adminClient(requireCluster(dataDir));
  const { items } = await client.list(secrets, { namespace: "kube-system", fieldSelector: `type=${tokenType}` });
  const records = items.flatMap((secret) => tokenRecord(secret) ?? []);
  const rows = records.map((record) => tokenRow(record, Date.now()));
  printTable(["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"], rows);
}

/** kubeadm's cells of one token; red once it has ended. */
export function tokenRow(
  { token, description, expiresMs, usages, groups }: TokenRecord,
  nowMs: number,
): { cells: string[]; isGood: boolean } {
  const or = (text: string) => text || "<none>";
  const cells = [
    formatBootstrapToken(token),
    expiresMs === undefined ? "<forever>" : shortDuration(expiresMs - nowMs),
    expiresMs === undefined ? "<never>" : formatTime(expiresMs),
    or(usages.join(",")),
    or(description),
    or(groups.join(",")),
  ];
  return { cells, isGood: expiresMs === undefined || expiresMs > nowMs };
}

/** As apimachinery's ShortHumanDuration. */
function shortDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 24) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.trunc(hours / 24)}d` : `${Math.trunc(hours / 24 / 365)}y`;
}

/** Takes ids or whole tokens. Throws ConfigError for what is neither, and for one that is not there. */
export async function deleteTokens(words: readonly string[], dataDir: string): Promise<void> {
  const client = adminClient(requireCluster(dataDir));
  for (const word of words) {
    const id = idOf(word);
    await client
      .delete(secrets, { namespace: "kube-system", name: `bootstrap-token-${id}` })
      .catch((error: unknown) => {
        if (isNotFound(error))
          throw new ConfigError(`failed to delete bootstrap token "${id}": there is none of that id`);
        throw error;
      });
    console.log(`bootstrap token "${id}" deleted`);
  }
}

function idOf(word: string): string {
  if (isBootstrapTokenId(word)) return word;
  try {
    return parseBootstrapToken(word).id;
  } catch (error) {
    throw new ConfigError(
      `given token "${word}" didn't match pattern "\\\\A([a-z0-9]{6})\\\\z" or "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`,
      { cause: error },
    );
  }
}
