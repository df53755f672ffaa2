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
  column("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration?.name ?? "", {
    field: "flowcontrol.v1.PriorityLevelConfigurationReference.name",
  }),
  column("MatchingPrecedence", ({ spec }) => spec?.matchingPrecedence ?? 0, {
    field: "flowcontrol.v1.FlowSchemaSpec.matchingPrecedence",
  }),
  column("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>", {
    field: "flowcontrol.v1.FlowSchemaSpec.distinguisherMethod",
  }),
  ageColumn,
  column("MissingPL", missingPriorityLevel, {
    description: "references a broken or non-existent PriorityLevelConfiguration",
  }),
];

/** In the order that they are matched (upstream: apihelpers.FlowSchemaSequence). */
function byPrecedence(a: FlowSchema, b: FlowSchema): number {
  const difference = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
  return difference || (a.metadata.name < b.metadata.name ? -1 : 1);
}

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
  compareRows: byPrecedence,
});
