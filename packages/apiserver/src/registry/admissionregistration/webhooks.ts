// Mutating- and ValidatingWebhookConfigurations: the kinds' declarations.

import {
  setMutatingWebhookConfigurationDefaults,
  setValidatingWebhookConfigurationDefaults,
} from "@picokube/api/admissionregistration/defaults";
import {
  type MutatingWebhookConfiguration,
  mutatingwebhookconfigurations,
  type ValidatingWebhookConfiguration,
  validatingwebhookconfigurations,
} from "@picokube/api/admissionregistration/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateWebhookConfiguration, validateWebhookConfigurationUpdate } from "./webhook-validation.js";

const columns = [
  nameColumn,
  column<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>(
    "Webhooks",
    ({ webhooks }) => (webhooks ?? []).length,
    {
      type: "integer",
      description: "Webhooks indicates the number of webhooks registered in this configuration",
    },
  ),
  ageColumn,
];

/** The definition of mutatingwebhookconfigurations. */
export const mutatingWebhookConfigurationDefinition = define<MutatingWebhookConfiguration>({
  resource: mutatingwebhookconfigurations,
  storagePrefix: "mutatingwebhookconfigurations",
  applyDefaults: setMutatingWebhookConfigurationDefaults,
  hasStatus: false,
  validate: validateWebhookConfiguration,
  validateUpdate: validateWebhookConfigurationUpdate,
  hasGeneration: true,
  columns,
});

/** The definition of validatingwebhookconfigurations. */
export const validatingWebhookConfigurationDefinition = define<ValidatingWebhookConfiguration>({
  resource: validatingwebhookconfigurations,
  storagePrefix: "validatingwebhookconfigurations",
  applyDefaults: setValidatingWebhookConfigurationDefaults,
  hasStatus: false,
  validate: validateWebhookConfiguration,
  validateUpdate: validateWebhookConfigurationUpdate,
  hasGeneration: true,
  columns,
});
