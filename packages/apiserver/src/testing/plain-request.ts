// One request as the administrator, as it is: without the retries and the decoding of our own client.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestApiServer } from "@picokube/testing/apiserver";
import { Agent, request } from "undici";

export interface PlainAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
}

/** Sends it on a connection of its own and reads the whole answer. */
export async function plainRequest(
  { pkiDirectory, url }: TestApiServer,
  {
    method = "GET",
    path,
    headers = {},
    body,
  }: { method?: string; path: string; headers?: { [name: string]: string }; body?: string | Buffer },
): Promise<PlainAnswer> {
  const file = (name: string) => readFileSync(join(pkiDirectory, name));
  const connect = { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") };
  const dispatcher = new Agent({ connect });
  try {
    const answer = await request(`${url}${path}`, { method: method as "GET", headers, body: body ?? null, dispatcher });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  } finally {
    await dispatcher.destroy();
  }
}
