// Ingresses: the kind's declaration.

import { type Ingress, ingresses } from "@picokube/api/networking/v1";
import { ageColumn, column, loadBalancerAddresses, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateIngress, validateIngressStatus, validateIngressUpdate } from "./ingress-validation.js";

/** The first three hosts, and how many rules there are besides: those without a host count too (upstream: formatHosts). */
function hosts({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const shown: string[] = [];
  let more = false;
  for (const { host } of rules) {
    if (shown.length === 3) more = true;
    else if (host) shown.push(host);
  }
  if (shown.length === 0) return "*";
  return more ? `${shown.join(",")} + ${rules.length - 3} more...` : shown.join(",");
}

function addresses({ status }: Ingress): string {
  return loadBalancerAddresses(status?.loadBalancer?.ingress).join(",");
}

const columns: Column<Ingress>[] = [
  nameColumn,
  column("Class", ({ spec }) => spec?.ingressClassName ?? "<none>", {
    description: "The name of the IngressClass resource that should be used for additional configuration",
  }),
  column("Hosts", hosts, { description: "Hosts that incoming requests are matched against before the ingress rule" }),
  column("Address", addresses, { description: "Address is a list containing ingress points for the load-balancer" }),
  column("Ports", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80"), {
    description: "Ports of TLS configurations that open",
  }),
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
  validateUpdate: validateIngressUpdate,
  validateStatusUpdate: validateIngressStatus,
  columns,
});
