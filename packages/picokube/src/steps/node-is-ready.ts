// Whether a Node is Ready, for poll.

import { nodes } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";

/** Undefined when it is; otherwise why not. */
export async function nodeIsReady(client: Client, name: string): Promise<string | undefined> {
  const node = await client.get(nodes, { name });
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? undefined : (ready?.message ?? "it has no Ready condition yet");
}
