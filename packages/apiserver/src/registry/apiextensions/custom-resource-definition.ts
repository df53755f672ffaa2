// CustomResourceDefinitions: the kind's declaration. What they declare is served by custom-resources/.

import { setCustomResourceDefinitionDefaults } from "@picokube/api/apiextensions/defaults";
import { type CustomResourceDefinition, customresourcedefinitions } from "@picokube/api/apiextensions/v1";
import { markForDeletion } from "../../custom-resources/instance-deletion.js";
import { createdAtColumn, nameColumn } from "../columns.js";
import { define } from "../define.js";
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatus,
  validateCustomResourceDefinitionUpdate,
} from "./custom-resource-definition-validation.js";

/** Remembers the version that objects are stored in (upstream: strategy.PrepareForCreate and -Update). */
function rememberStoredVersion(crd: CustomResourceDefinition): void {
  const storage = crd.spec?.versions?.find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  if (storage && !stored.includes(storage)) crd.status = { ...crd.status, storedVersions: [...stored, storage] };
}

/** The definition of customresourcedefinitions. */
export const customResourceDefinitionDefinition = define<CustomResourceDefinition>({
  resource: customresourcedefinitions,
  storagePrefix: "apiextensions.k8s.io/customresourcedefinitions",
  applyDefaults: setCustomResourceDefinitionDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate: rememberStoredVersion,
  prepareForUpdate: rememberStoredVersion,
  prepareForDelete: (crd, context) => markForDeletion(crd, context.now()),
  validate: validateCustomResourceDefinition,
  validateUpdate: validateCustomResourceDefinitionUpdate,
  validateStatusUpdate: validateCustomResourceDefinitionStatus,
  columns: [nameColumn, createdAtColumn],
});
