// /healthz, /livez and /readyz in upstream's forms (apiserver pkg/server/healthz). What is healthy is the checks' to say.

import type { ServerResponse } from "node:http";
import { sendText } from "../handlers/exchange.js";
import type { RequestInfo } from "../request/request-info.js";

export interface HealthCheck {
  readonly name: string;
  readonly endpoints: readonly string[];
  /** Throws when unhealthy. */
  check(): void | Promise<void>;
}

const ENDPOINTS = ["healthz", "livez", "readyz"];

/** Answers a health path; false when the path is none. */
export async function answerHealth(
  { path, query }: RequestInfo,
  response: ServerResponse,
  all: readonly HealthCheck[],
): Promise<boolean> {
  const [, endpoint = "", ...rest] = path.split("/");
  if (!ENDPOINTS.includes(endpoint)) return false;
  const only = rest.join("/");
  const checks = all.filter((check) => check.endpoints.includes(endpoint));
  const chosen = only === "" ? checks : checks.filter(({ name }) => name === only);
  if (chosen.length === 0) {
    sendText(response, 404, "404 page not found\n");
    return true;
  }
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const { name, check } of chosen) {
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok`);
      continue;
    }
    try {
      await check();
      lines.push(`[+]${name} ok`);
    } catch {
      failed = true;
      lines.push(`[-]${name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed) sendText(response, 500, `${lines.join("\n")}\n${endpoint} check failed\n`);
  else if (query.has("verbose")) sendText(response, 200, `${lines.join("\n")}\n${endpoint} check passed\n`);
  else sendText(response, 200, "ok");
  return true;
}
