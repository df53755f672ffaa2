// ControllerRevisions: the kind's declaration.

import { type ControllerRevision, controllerrevisions } from "@picokube/api/apps/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateControllerRevision, validateControllerRevisionUpdate } from "./controller-revision-validation.js";

/** `deployment.apps/web`, or `<none>` for an object that nothing controls. */
function controller({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller);
  if (!owner) return "<none>";
  const [group, version] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : ["", owner.apiVersion];
  return `${owner.kind.toLowerCase()}${version && group ? `.${group}` : ""}/${owner.name}`;
}

/** The definition of controllerrevisions. */
export const controllerRevisionDefinition = define<ControllerRevision>({
  resource: controllerrevisions,
  storagePrefix: "controllerrevisions",
  hasStatus: false,
  hasGeneration: false,
  validate: validateControllerRevision,
  validateUpdate: validateControllerRevisionUpdate,
  columns: [
    nameColumn,
    column("Controller", controller, { description: "Controller of the object" }),
    column("Revision", ({ revision }) => revision, { field: "apps.v1.ControllerRevision.revision" }),
    ageColumn,
  ],
});
