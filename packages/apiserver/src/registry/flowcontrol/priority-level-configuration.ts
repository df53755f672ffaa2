// PriorityLevelConfigurations: the kind's declaration.

import { setPriorityLevelConfigurationDefaults } from "@picokube/api/flowcontrol/defaults";
import { type PriorityLevelConfiguration, prioritylevelconfigurations } from "@picokube/api/flowcontrol/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import {
  validatePriorityLevelConfiguration,
  validatePriorityLevelConfigurationStatus,
} from "./priority-level-configuration-validation.js";

const queuing = (field: "queues" | "handSize" | "queueLengthLimit") => (level: PriorityLevelConfiguration) =>
  level.spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>";

const columns: Column<PriorityLevelConfiguration>[] = [
  nameColumn,
  column("Type", ({ spec }) => spec?.type ?? "", { field: "flowcontrol.v1.PriorityLevelConfigurationSpec.type" }),
  column("NominalConcurrencyShares", ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? "<none>", {
    field: "flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares",
  }),
  column("Queues", queuing("queues"), { field: "flowcontrol.v1.QueuingConfiguration.queues" }),
  column("HandSize", queuing("handSize"), { field: "flowcontrol.v1.QueuingConfiguration.handSize" }),
  column("QueueLengthLimit", queuing("queueLengthLimit"), {
    field: "flowcontrol.v1.QueuingConfiguration.queueLengthLimit",
  }),
  ageColumn,
];

/** The definition of prioritylevelconfigurations. */
export const priorityLevelConfigurationDefinition = define<PriorityLevelConfiguration>({
  resource: prioritylevelconfigurations,
  storagePrefix: "prioritylevelconfigurations",
  applyDefaults: setPriorityLevelConfigurationDefaults,
  hasStatus: true,
  hasGeneration: true,
  validate: validatePriorityLevelConfiguration,
  validateUpdate: validatePriorityLevelConfiguration,
  validateStatusUpdate: validatePriorityLevelConfigurationStatus,
  columns,
});
