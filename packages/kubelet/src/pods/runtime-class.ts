// Which of the engine's runtimes a pod runs on: its RuntimeClass's handler. Mirrors upstream's runtimeclass manager.

import type { Pod } from "@picokube/api/core/v1";
import { runtimeclasses } from "@picokube/api/node/v1";
import type { Client } from "@picokube/client/client";

/** Undefined: the engine's default. Rejects with the API's words when there is no such class. */
export type RuntimeHandlerOf = (pod: Pod) => Promise<string | undefined>;

/** Asks the API anew for each sandbox: classes change seldom, and sandboxes are made seldom. */
export function runtimeHandlerFrom(client: Client): RuntimeHandlerOf {
  return async ({ spec }) => {
    const name = spec?.runtimeClassName;
    if (!name) return undefined;
    return (await client.get(runtimeclasses, { name })).handler;
  };
}
