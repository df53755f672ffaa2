// PodDisruptionBudgets: the kind's declaration.

import { type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validatePodDisruptionBudget, validatePodDisruptionBudgetStatus } from "./pod-disruption-budget-validation.js";

/** The definition of poddisruptionbudgets. */
export const podDisruptionBudgetDefinition = define<PodDisruptionBudget>({
  resource: poddisruptionbudgets,
  storagePrefix: "poddisruptionbudgets",
  hasStatus: true,
  hasGeneration: true,
  validate: validatePodDisruptionBudget,
  validateUpdate: validatePodDisruptionBudget,
  validateStatusUpdate: validatePodDisruptionBudgetStatus,
  columns: [
    nameColumn,
    column("Min Available", ({ spec }) => String(spec?.minAvailable ?? "N/A"), {
      description: "The minimum number of pods that must be available.",
    }),
    column("Max Unavailable", ({ spec }) => String(spec?.maxUnavailable ?? "N/A"), {
      description: "The maximum number of pods that may be unavailable.",
    }),
    column("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0, {
      type: "integer",
      description: "Calculated number of pods that may be disrupted at this time.",
    }),
    ageColumn,
  ],
});
