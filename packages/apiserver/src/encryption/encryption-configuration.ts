// The EncryptionConfiguration file (apiserver.config.k8s.io/v1): which resources are encrypted by which providers with
// which keys. Reads and checks it; encrypts nothing.

import type { FieldError } from "@picokube/api/errors";
import { invalidValue, required } from "@picokube/api/validation/field-error";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { type KmsConfiguration, kmsFaults } from "./kms/kms-configuration.js";
import { resourceNameFaults } from "./resource-names.js";

export interface Key {
  readonly name: string;
  /** base64. */
  readonly secret: string;
}

export interface Keys {
  readonly keys: readonly Key[];
}

/** One provider: exactly one field is set. */
export interface ProviderConfiguration {
  readonly aesgcm?: Keys;
  readonly aescbc?: Keys;
  readonly secretbox?: Keys;
  readonly identity?: object;
  readonly kms?: KmsConfiguration;
}

export interface ResourceConfiguration {
  /** "secrets", "deployments.apps", "*.apps", "*.", "*.*". */
  readonly resources: readonly string[];
  readonly providers: readonly ProviderConfiguration[];
}

export interface EncryptionConfiguration {
  readonly resources: readonly ResourceConfiguration[];
}

const KEY_BYTES = { aesgcm: [16, 24, 32], aescbc: [16, 24, 32], secretbox: [32] } as const;
const PROVIDERS = ["kms", "aesgcm", "aescbc", "secretbox", "identity"] as const;

/** Reads and validates the file. Throws ConfigError with every fault. */
export async function readEncryptionConfiguration(path: string): Promise<EncryptionConfiguration> {
  const document = await readConfigFile(path, {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
  });
  const configuration = document as unknown as EncryptionConfiguration;
  const faults = validateEncryptionConfiguration(configuration);
  if (faults.length > 0) {
    const words = faults.map(({ field, message }) => `${field}: ${message}`);
    throw new ConfigError(`${path}: ${words.length === 1 ? words[0] : `[${words.join(", ")}]`}`);
  }
  return configuration;
}

/** Upstream: ValidateEncryptionConfiguration. */
export function validateEncryptionConfiguration({ resources }: EncryptionConfiguration): FieldError[] {
  if (!Array.isArray(resources) || resources.length === 0) {
    return [required("resources", "at least one resources is required")];
  }
  const kmsNames = new Set<string>();
  return resources.flatMap((entry, index) => entryFaults(entry, { path: `resources[${index}]`, kmsNames }));
}

function entryFaults(
  { resources = [], providers = [] }: ResourceConfiguration,
  { path, kmsNames }: { path: string; kmsNames: Set<string> },
): FieldError[] {
  const faults: FieldError[] = [];
  const [names, list] = [`${path}.resources`, `${path}.providers`];
  if (resources.length === 0) faults.push(required(names, `at least one ${names} is required`));
  faults.push(...resourceNameFaults(resources, names));
  if (providers.length === 0) faults.push(required(list, `at least one ${list} is required`));
  return [
    ...faults,
    ...providers.flatMap((provider, index) => providerFaults(provider, `${list}[${index}]`, kmsNames)),
  ];
}

function providerFaults(provider: ProviderConfiguration, path: string, kmsNames: Set<string>): FieldError[] {
  const named = PROVIDERS.filter((name) => provider?.[name] !== undefined && provider[name] !== null);
  // What stands in a provider may be a key: it is not shown.
  if (named.length === 0) {
    const known = "KMS, AESGCM, AESCBC, Secretbox, Identity";
    return [invalidValue(path, "REDACTED", `provider does not contain any of the expected providers: ${known}`)];
  }
  if (named.length > 1) {
    const words = "more than one provider specified in a single element, should split into different list elements";
    return [invalidValue(path, "REDACTED", words)];
  }
  const name = named[0]!;
  if (name === "kms") return kmsFaults(provider.kms!, { path: `${path}.kms`, taken: kmsNames });
  if (name === "identity") return [];
  const keys = provider[name]?.keys ?? [];
  if (keys.length === 0) return [required(`${path}.${name}.keys`, "at least one keys is required")];
  return keys.flatMap((key, index) =>
    keyFaults(key, { path: `${path}.${name}.keys[${index}]`, sizes: KEY_BYTES[name] }),
  );
}

function keyFaults({ name, secret }: Key, { path, sizes }: { path: string; sizes: readonly number[] }): FieldError[] {
  const faults: FieldError[] = [];
  if (!name) faults.push(required(`${path}.name`, "name is a mandatory field for a key"));
  if (!secret) return [...faults, required(`${path}.secret`, "secret is a mandatory field for a key")];
  const bytes = Buffer.from(String(secret), "base64");
  if (bytes.toString("base64") !== secret) {
    return [...faults, invalidValue(`${path}.secret`, "REDACTED", "secrets must be base64 encoded")];
  }
  if (!sizes.includes(bytes.length)) {
    const words = `secret is not of the expected length, got ${bytes.length}, expected one of [${sizes.join(" ")}]`;
    faults.push(invalidValue(`${path}.secret`, "REDACTED", words));
  }
  return faults;
}
