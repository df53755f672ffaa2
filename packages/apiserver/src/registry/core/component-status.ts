// ComponentStatuses: a deprecated kind of which nothing is stored.

import { type ComponentStatus, componentstatuses } from "@picokube/api/core/v1";
import { column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";

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
  column("Status", status, {
    description: "Status of the component conditions",
  }),
  column("Message", (component) => healthy(component)?.message ?? "", {
    description: "Message of the component conditions",
  }),
  column("Error", (component) => healthy(component)?.error ?? "", { description: "Error of the component conditions" }),
];

/** The definition of componentstatuses. */
export const componentStatusDefinition = define<ComponentStatus>({
  resource: componentstatuses,
  storagePrefix: "componentstatuses",
  verbs: ["get", "list"],
  hasStatus: false,
  hasGeneration: false,
  columns,
});
