// PodTemplates: the kind's declaration.

import { setPodTemplateObjectDefaults } from "@picokube/api/core/defaults";
import { type PodTemplate, podtemplates } from "@picokube/api/core/v1";
import { column, containerImages, containerNames, formatLabels, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validatePodTemplateSpec } from "./pod-spec-validation.js";

/** The definition of podtemplates. */
export const podTemplateDefinition = define<PodTemplate>({
  resource: podtemplates,
  storagePrefix: "podtemplates",
  applyDefaults: setPodTemplateObjectDefaults,
  hasStatus: false,
  hasGeneration: true,
  validate: ({ template }) => validatePodTemplateSpec(template, "template"),
  validateUpdate: ({ template }) => validatePodTemplateSpec(template, "template"),
  columns: [
    nameColumn,
    column("Containers", (template) => containerNames(template.template?.spec), {
      description: "Names of each container in the template.",
    }),
    column("Images", (template) => containerImages(template.template?.spec), {
      description: "Images referenced by each container in the template.",
    }),
    column("Pod Labels", (template) => formatLabels(template.template?.metadata?.labels), {
      description: "The labels for the pod template.",
    }),
  ],
});
