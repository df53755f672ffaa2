// The kms provider of an EncryptionConfiguration: its fields, their defaults and what is wrong with them (upstream:
// config/validation validateKMSConfiguration). Connects to nothing.

import type { FieldError } from "@picokube/api/errors";
import { invalidValue, required } from "@picokube/api/validation/field-error";
import { parseDuration } from "@picokube/component-base/duration";

export interface KmsConfiguration {
  /** v2; v1 is refused, as upstream does without its feature gate. */
  readonly apiVersion?: string;
  readonly name: string;
  readonly endpoint: string;
  /** "3s". */
  readonly timeout?: string;
  readonly cachesize?: number;
}

const DEFAULT_TIMEOUT_MS = 3_000;
const V1_WORDS =
  "KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.";

export function kmsTimeoutMs({ timeout }: KmsConfiguration): number {
  return timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(timeout);
}

/** taken holds the names of those before it, and gets this one's. */
export function kmsFaults(kms: KmsConfiguration, { path, taken }: { path: string; taken: Set<string> }): FieldError[] {
  const { apiVersion = "v1", name, endpoint, cachesize } = kms;
  const faults: FieldError[] = [];
  const invalid = (field: string, value: unknown, why: string) =>
    faults.push(invalidValue(`${path}.${field}`, value, why));
  if (apiVersion === "v1") invalid("apiVersion", apiVersion, V1_WORDS);
  else if (apiVersion !== "v2") {
    const why = `unsupported apiVersion ${apiVersion} for KMS provider, only v1 and v2 are supported`;
    invalid("apiVersion", apiVersion, why);
  }
  if (!name) faults.push(required(`${path}.name`, "name is a mandatory field for a KMS provider"));
  else if (name.includes(":")) invalid("name", name, `invalid KMS provider name ${name}, must not contain ':'`);
  else if (taken.has(name)) invalid("name", name, `duplicate KMS provider name ${name}, names must be unique`);
  taken.add(name);
  if (!isPositive(kms)) invalid("timeout", kms.timeout, "timeout should be a positive value");
  if (cachesize !== undefined) invalid("cachesize", cachesize, "cachesize is not supported in v2");
  if (!endpoint) faults.push(required(`${path}.endpoint`, "endpoint is a mandatory field for a KMS provider"));
  else if (!endpoint.startsWith("unix://")) {
    const scheme = JSON.stringify(/^([a-z]*):/.exec(endpoint)?.[1] ?? "");
    invalid("endpoint", endpoint, `unsupported scheme ${scheme} for KMS provider, only unix is supported`);
  }
  return faults;
}

function isPositive(kms: KmsConfiguration): boolean {
  try {
    return kmsTimeoutMs(kms) > 0;
  } catch {
    return false;
  }
}
