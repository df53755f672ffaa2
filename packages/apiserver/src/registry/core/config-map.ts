// ConfigMaps: the kind's declaration.

import { type ConfigMap, configmaps } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateConfigMap, validateConfigMapUpdate } from "./config-map-validation.js";

/** The definition of configmaps. */
export const configMapDefinition = define<ConfigMap>({
  resource: configmaps,
  storagePrefix: "configmaps",
  hasStatus: false,
  hasGeneration: false,
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
  columns: [
    nameColumn,
    column("Data", ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length, {
      field: "core.v1.ConfigMap.data",
    }),
    ageColumn,
  ],
});
