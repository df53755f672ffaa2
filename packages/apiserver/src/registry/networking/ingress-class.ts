// IngressClasses: the kind's declaration.

import { setIngressClassDefaults } from "@picokube/api/networking/defaults";
import { type IngressClass, ingressclasses } from "@picokube/api/networking/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateIngressClass, validateIngressClassUpdate } from "./ingress-class-validation.js";

function parameters({ spec }: IngressClass): string {
  const reference = spec?.parameters;
  if (!reference) return "<none>";
  return `${reference.kind}${reference.apiGroup ? `.${reference.apiGroup}` : ""}/${reference.name}`;
}

const columns: Column<IngressClass>[] = [
  nameColumn,
  column("Controller", ({ spec }) => spec?.controller ?? "", {
    description: "Controller that is responsible for handling this class",
  }),
  column("Parameters", parameters, { description: "A reference to a resource with additional parameters" }),
  ageColumn,
];

/** The definition of ingressclasses. */
export const ingressClassDefinition = define<IngressClass>({
  resource: ingressclasses,
  storagePrefix: "ingressclasses",
  applyDefaults: setIngressClassDefaults,
  hasStatus: false,
  hasGeneration: true,
  validate: validateIngressClass,
  validateUpdate: validateIngressClassUpdate,
  columns,
});
