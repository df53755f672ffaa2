// PriorityClasses: the kind's declaration.

import { setPriorityClassDefaults } from "@picokube/api/scheduling/defaults";
import { type PriorityClass, priorityclasses } from "@picokube/api/scheduling/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validatePriorityClass, validatePriorityClassUpdate } from "./priority-class-validation.js";

/** The definition of priorityclasses. */
export const priorityClassDefinition = define<PriorityClass>({
  resource: priorityclasses,
  storagePrefix: "priorityclasses",
  applyDefaults: setPriorityClassDefaults,
  hasStatus: false,
  hasGeneration: true,
  validate: validatePriorityClass,
  validateUpdate: validatePriorityClassUpdate,
  columns: [
    nameColumn,
    column("Value", ({ value }) => value ?? 0, { type: "integer", field: "scheduling.v1.PriorityClass.value" }),
    column("Global-Default", ({ globalDefault }) => globalDefault ?? false, {
      type: "boolean",
      field: "scheduling.v1.PriorityClass.globalDefault",
    }),
    ageColumn,
    column("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? "", {
      field: "scheduling.v1.PriorityClass.preemptionPolicy",
    }),
  ],
});
