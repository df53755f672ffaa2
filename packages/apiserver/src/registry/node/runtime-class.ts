// RuntimeClasses: the kind's declaration.

import { type RuntimeClass, runtimeclasses } from "@picokube/api/node/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateRuntimeClass, validateRuntimeClassUpdate } from "./runtime-class-validation.js";

/** The definition of runtimeclasses. */
export const runtimeClassDefinition = define<RuntimeClass>({
  resource: runtimeclasses,
  storagePrefix: "runtimeclasses",
  hasStatus: false,
  hasGeneration: false,
  validate: validateRuntimeClass,
  validateUpdate: validateRuntimeClassUpdate,
  columns: [
    nameColumn,
    column("Handler", ({ handler }) => handler, { field: "node.v1.RuntimeClass.handler" }),
    ageColumn,
  ],
});
