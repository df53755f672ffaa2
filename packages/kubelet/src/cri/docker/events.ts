// Docker's event stream as RuntimeEvents. Ends with an error when the daemon goes away; reconnecting is the reader's.

import type { Readable } from "node:stream";
import type Docker from "dockerode";
import type { RuntimeEvent } from "../runtime.js";
import { labelNames } from "./names.js";

const types: Record<string, RuntimeEvent["type"]> = {
  create: "created",
  start: "started",
  die: "died",
  destroy: "removed",
  oom: "oom",
};

interface EngineMessage {
  Type?: string;
  Action?: string;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}

/** One line of the stream; undefined when it is none of ours. */
export function parseEvent(line: string): RuntimeEvent | undefined {
  const message = JSON.parse(line) as EngineMessage;
  const type = types[message.Action ?? ""];
  const containerId = message.Actor?.ID;
  const podUid = message.Actor?.Attributes?.[labelNames.podUid];
  return type && containerId && podUid ? { type, containerId, podUid } : undefined;
}

/** Events of the containers with this scope label, until the signal aborts; throws when the stream breaks. */
export async function* engineEvents(docker: Docker, scope: string, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  const stream = (await docker.getEvents({
    filters: { type: ["container"], event: Object.keys(types), label: [`${labelNames.scope}=${scope}`] },
  })) as Readable;
  const stop = () => stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  let rest = "";
  try {
    for await (const chunk of stream) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = line.trim() === "" ? undefined : parseEvent(line);
        if (event) yield event;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stream.destroy();
  }
  if (!signal.aborted) throw new Error("the engine closed its event stream");
}
