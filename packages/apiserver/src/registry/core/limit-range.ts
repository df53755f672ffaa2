// LimitRanges: the kind's declaration. They are applied to pods by admission.

import { setLimitRangeDefaults } from "@picokube/api/core/defaults";
import { type LimitRange, limitranges } from "@picokube/api/core/v1";
import { createdAtColumn, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateLimitRange } from "./limit-range-validation.js";

/** The definition of limitranges. */
export const limitRangeDefinition = define<LimitRange>({
  resource: limitranges,
  storagePrefix: "limitranges",
  applyDefaults: setLimitRangeDefaults,
  hasStatus: false,
  hasGeneration: false,
  validate: validateLimitRange,
  validateUpdate: validateLimitRange,
  columns: [nameColumn, createdAtColumn],
});
