// ComponentStatuses: a deprecated kind of which nothing is stored.

import { type ComponentStatus, componentstatuses } from "@picokube/api/core/v1";
import { column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";

function healthy({ conditions }: ComponentStatus) {
  return (conditions ?? []).find(({ type }) => type === "Healthy");
}

const columns: Column<ComponentStatus>[] = [
  nameColumn,
  column("Status", (component) => (healthy(component)?.status === "True" ? "Healthy" : "Unhealthy")),
  column("Message", (component) => healthy(component)?.message ?? ""),
  column("Error", (component) => healthy(component)?.error ?? ""),
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
