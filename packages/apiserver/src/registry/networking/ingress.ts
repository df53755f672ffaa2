// Ingresses: the kind's declaration.

import { type Ingress, ingresses } from "@picokube/api/networking/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateIngress } from "./ingress-validation.js";

function hosts({ spec }: Ingress): string {
  const list = (spec?.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== "");
  if (list.length === 0) return "*";
  const shown = list.slice(0, 3).join(",");
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

function addresses({ status }: Ingress): string {
  const list = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  return [...new Set(list)].join(",");
}

const columns: Column<Ingress>[] = [
  nameColumn,
  column(
    "Class",
    ({ spec, metadata }) => spec?.ingressClassName ?? metadata.annotations?.["kubernetes.io/ingress.class"] ?? "<none>",
  ),
  column("Hosts", hosts),
  column("Address", addresses),
  column("Ports", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80")),
  ageColumn,
];

/** The definition of ingresses. */
export const ingressDefinition = define<Ingress>({
  resource: ingresses,
  storagePrefix: "ingress",
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: validateIngress,
  validateUpdate: validateIngress,
  columns,
});
