// Secrets: the kind's declaration.

import { setSecretDefaults } from "@picokube/api/core/defaults";
import { type Secret, secrets } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateSecret, validateSecretUpdate } from "./config-map-validation.js";

/** The definition of secrets. */
export const secretDefinition = define<Secret>({
  resource: secrets,
  storagePrefix: "secrets",
  applyDefaults: setSecretDefaults,
  hasStatus: false,
  hasGeneration: false,
  prepareForCreate(secret) {
    foldStringData(secret);
  },
  prepareForUpdate(secret) {
    foldStringData(secret);
  },
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
  selectableFields: { type: (secret) => secret.type ?? "" },
  columns: [
    nameColumn,
    column("Type", (secret) => secret.type ?? "", { field: "core.v1.Secret.type" }),
    column("Data", (secret) => Object.keys(secret.data ?? {}).length, { field: "core.v1.Secret.data" }),
    ageColumn,
  ],
});

/** Moves stringData, which is write-only, into data. */
function foldStringData(secret: Secret): void {
  if (secret.stringData === undefined) return;
  const data: Record<string, string> = { ...secret.data };
  for (const [key, value] of Object.entries(secret.stringData)) data[key] = Buffer.from(value).toString("base64");
  secret.data = data;
  delete secret.stringData;
}
