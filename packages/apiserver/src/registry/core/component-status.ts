// ComponentStatuses: a deprecated kind of which nothing is stored; who is asked for one asks the component.

import { type ComponentStatus, componentstatuses } from "@picokube/api/core/v1";
import { column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column, ResourceDefinition } from "../resource-definition.js";

/** Asks one component how it is (upstream: componentstatus.Server). */
export interface ComponentCheck {
  readonly name: string;
  /** Resolves to what a healthy component says; rejects with why it is not. */
  check(): Promise<string>;
}

function healthy({ conditions }: ComponentStatus) {
  return (conditions ?? []).find(({ type }) => type === "Healthy");
}

function status(component: ComponentStatus): string {
  const condition = healthy(component);
  if (!condition) return "Unknown";
  return condition.status === "True" ? "Healthy" : "Unhealthy";
}

const columns: Column<ComponentStatus>[] = [
  nameColumn,
  column("Status", status, { description: "Status of the component conditions" }),
  column("Message", (component) => healthy(component)?.message ?? "", {
    description: "Message of the component conditions",
  }),
  column("Error", (component) => healthy(component)?.error ?? "", { description: "Error of the component conditions" }),
];

async function statusOf({ name, check }: ComponentCheck): Promise<ComponentStatus> {
  const condition = await check().then(
    (message) => ({ type: "Healthy", status: "True", message }),
    (error: Error) => ({ type: "Healthy", status: "False", message: error.message }),
  );
  const metadata = { name, creationTimestamp: null } as never;
  return { kind: componentstatuses.kind, apiVersion: "v1", metadata, conditions: [condition] };
}

/** The definition of componentstatuses. */
export function componentStatusDefinition(checks: readonly ComponentCheck[]): ResourceDefinition {
  return define<ComponentStatus>({
    resource: componentstatuses,
    storagePrefix: "componentstatuses",
    verbs: ["get", "list"],
    deprecationWarning: "v1 ComponentStatus is deprecated in v1.19+",
    hasStatus: false,
    hasGeneration: false,
    columns,
    compute: (name) => Promise.all(checks.filter((each) => name === "" || each.name === name).map(statusOf)),
  });
}
