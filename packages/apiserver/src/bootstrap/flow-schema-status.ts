// Tells by each FlowSchema's condition Dangling whether the PriorityLevelConfiguration that it names exists (upstream:
// the config-consuming controller of util/flowcontrol). Changes nothing else.

import { isNotFound } from "@picokube/api/errors";
import { type FlowSchema, flowschemas, prioritylevelconfigurations } from "@picokube/api/flowcontrol/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { StorageRegistry } from "../storage/resource-storage.js";

interface Verdict {
  readonly status: "True" | "False";
  readonly reason: "NotFound" | "Found";
  readonly message: string;
}

const DANGLING = "Dangling";

/** What is to be said of a FlowSchema. */
export function danglingVerdict({ spec }: FlowSchema, levelExists: (name: string) => boolean): Verdict {
  const name = spec?.priorityLevelConfiguration?.name ?? "";
  const words = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
  return levelExists(name)
    ? { status: "False", reason: "Found", message: `${words} and it exists` }
    : { status: "True", reason: "NotFound", message: `${words} but there is no such object` };
}

/** Keeps the conditions right as either kind changes; resolves when they are, to what ends it. */
export async function keepFlowSchemaStatus({
  storage,
  clock,
  logger,
}: {
  storage: StorageRegistry;
  clock: Clock;
  logger: Logger;
}): Promise<() => void> {
  const schemas = storage.for(flowschemas);
  const levels = storage.for(prioritylevelconfigurations);
  let running = false;
  let again = false;
  let ended = false;

  async function writeVerdicts(): Promise<void> {
    for (const schema of schemas.list()) {
      const verdict = danglingVerdict(schema, (name) => levels.get("", name) !== undefined);
      if (ended || isSaid(schema, verdict)) continue;
      const lastTransitionTime = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
      await schemas.update("", schema.metadata.name, (object) => {
        const others = (object.status?.conditions ?? []).filter(({ type }) => type !== DANGLING);
        object.status = {
          ...object.status,
          conditions: [...others, { type: DANGLING, lastTransitionTime, ...verdict }],
        };
      });
    }
  }

  /** One round at a time; what changes meanwhile is seen by the next. */
  async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await writeVerdicts();
      } catch (error) {
        // Whoever was deleted meanwhile needs no verdict; any other fault waits for the next change.
        if (isNotFound(error)) again = true;
        else if (!ended) logger.warn("The status of FlowSchemas could not be written", { err: error });
      }
    } while (again && !ended);
    running = false;
  }

  const changed = () => void run();
  const stops = [schemas.onChange(changed), levels.onChange(changed)];
  await run();
  return () => {
    ended = true;
    for (const stop of stops) stop();
  };
}

function isSaid({ status }: FlowSchema, verdict: Verdict): boolean {
  const said = (status?.conditions ?? []).find(({ type }) => type === DANGLING);
  return said?.status === verdict.status && said.reason === verdict.reason && said.message === verdict.message;
}
