// FlowSchemas: the kind's declaration.

import { setFlowSchemaDefaults } from "@picokube/api/flowcontrol/defaults";
import { type FlowSchema, flowschemas } from "@picokube/api/flowcontrol/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateFlowSchema, validateFlowSchemaStatus } from "./flow-schema-validation.js";

function missingPriorityLevel({ status }: FlowSchema): string {
  return (status?.conditions ?? []).find(({ type }) => type === "Dangling")?.status || "?";
}

const columns: Column<FlowSchema>[] = [
  nameColumn,
  column("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ""),
  column("MatchingPrecedence", ({ spec }) => spec?.matchingPrecedence ?? 0),
  column("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>"),
  ageColumn,
  column("MissingPL", missingPriorityLevel),
];

/** The definition of flowschemas. */
export const flowSchemaDefinition = define<FlowSchema>({
  resource: flowschemas,
  storagePrefix: "flowschemas",
  applyDefaults: setFlowSchemaDefaults,
  hasStatus: true,
  hasGeneration: true,
  validate: validateFlowSchema,
  validateUpdate: validateFlowSchema,
  validateStatusUpdate: validateFlowSchemaStatus,
  columns,
});
