// What valid ConfigMaps and Secrets are, in upstream's words (upstream: ValidateConfigMap, ValidateSecret). Pure.

import type { ConfigMap, Secret } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "@picokube/api/validation/field-error";
import { isConfigMapKey } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { immutable } from "../immutable.js";

const maxSizeBytes = 1024 * 1024;
const immutableWords = "field is immutable when `immutable` is set";

const decodedSize = (base64: string) => Buffer.byteLength(base64, "base64");

/** A ConfigMap as it is created. */
export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const faults: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    faults.push(...objections(`data[${key}]`, key, isConfigMapKey(key)));
    if (Object.hasOwn(binaryData, key))
      faults.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    faults.push(...objections(`binaryData[${key}]`, key, isConfigMapKey(key)));
    size += decodedSize(value);
  }
  // Upstream's path is an empty one, and that is how it prints.
  return size > maxSizeBytes ? [...faults, tooLong("[]", maxSizeBytes)] : faults;
}

interface MaybeImmutable {
  immutable?: boolean;
}

function validateImmutable<T extends MaybeImmutable>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (!old.immutable) return [];
  const faults: FieldError[] = [];
  if (!object.immutable) faults.push(forbiddenField("immutable", immutableWords));
  for (const field of fields) {
    if (!semanticDeepEqual(object[field], old[field])) faults.push(forbiddenField(field, immutableWords));
  }
  return faults;
}

/** A change of a ConfigMap: none once it is immutable. */
export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  return [...validateImmutable(configMap, old, ["data", "binaryData"]), ...validateConfigMap(configMap)];
}

function validateDockerConfig(data: { readonly [key: string]: string }, key: string): FieldError[] {
  const value = data[key];
  if (value === undefined) return [required(`data[${key}]`)];
  try {
    JSON.parse(Buffer.from(value, "base64").toString());
    return [];
  } catch (error) {
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", (error as Error).message)];
  }
}

/** A Secret as it is created. */
export function validateSecret({ metadata, type, data = {} }: Secret): FieldError[] {
  const faults: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    faults.push(...objections(`data[${key}]`, key, isConfigMapKey(key)));
    size += decodedSize(value);
  }
  if (size > maxSizeBytes) faults.push(tooLong("data", maxSizeBytes));
  const need = (...keys: string[]) => {
    for (const key of keys) if (data[key] === undefined) faults.push(required(`data[${key}]`));
  };
  switch (type) {
    case "kubernetes.io/service-account-token": {
      const annotation = "kubernetes.io/service-account.name";
      if (!metadata.annotations?.[annotation]) faults.push(required(`metadata.annotations[${annotation}]`));
      break;
    }
    case "kubernetes.io/dockercfg":
      faults.push(...validateDockerConfig(data, ".dockercfg"));
      break;
    case "kubernetes.io/dockerconfigjson":
      faults.push(...validateDockerConfig(data, ".dockerconfigjson"));
      break;
    case "kubernetes.io/basic-auth":
      if (data.username === undefined && data.password === undefined) need("username", "password");
      break;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) faults.push(required("data[ssh-privatekey]"));
      break;
    case "kubernetes.io/tls":
      need("tls.crt", "tls.key");
      break;
  }
  return faults;
}

/** A change of a Secret: its type stays, and all of it once it is immutable. */
export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  return [
    ...immutable("type", secret.type, old.type),
    ...validateImmutable(secret, old, ["data"]),
    ...validateSecret(secret),
  ];
}
