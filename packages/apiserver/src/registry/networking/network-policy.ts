// NetworkPolicies: the kind's declaration.

import { setNetworkPolicyDefaults } from "@picokube/api/networking/defaults";
import { type NetworkPolicy, networkpolicies } from "@picokube/api/networking/v1";
import { ageColumn, column, formatLabelSelector, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateNetworkPolicy } from "./network-policy-validation.js";

/** The definition of networkpolicies. */
export const networkPolicyDefinition = define<NetworkPolicy>({
  resource: networkpolicies,
  storagePrefix: "networkpolicies",
  applyDefaults: setNetworkPolicyDefaults,
  hasStatus: false,
  hasGeneration: true,
  validate: validateNetworkPolicy,
  validateUpdate: validateNetworkPolicy,
  columns: [
    nameColumn,
    column("Pod-Selector", ({ spec }) => formatLabelSelector(spec?.podSelector), {
      field: "networking.v1.NetworkPolicySpec.podSelector",
    }),
    ageColumn,
  ],
});
