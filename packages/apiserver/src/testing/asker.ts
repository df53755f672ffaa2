// Asks a test's apiserver by plain HTTP, so that a test sees status, headers and bodies as clients do.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestApiServer, TestWithTeardown } from "@picokube/testing/apiserver";
import { Agent, request } from "undici";

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the server answers
  readonly json: any;
}

/** The content types of patches by their short names. */
export const PATCH = {
  apply: { "content-type": "application/apply-patch+yaml" },
  json: { "content-type": "application/json-patch+json" },
  merge: { "content-type": "application/merge-patch+json" },
  strategic: { "content-type": "application/strategic-merge-patch+json" },
};

/** A function that asks as the administrator. */
export function asker(t: TestWithTeardown, server: TestApiServer): (asked: Asked) => Promise<Answer> {
  const file = (name: string) => readFileSync(join(server.pkiDirectory, name));
  const agent = new Agent({ connect: { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") } });
  t.teardown(() => agent.destroy());
  return async ({ method = "GET", path, body, headers = {} }) => {
    const answer = await request(`${server.url}${path}`, {
      method,
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", "user-agent": "tester/1.0 (linux)", ...headers },
      dispatcher: agent,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, json: text.startsWith("{") ? JSON.parse(text) : text };
  };
}
