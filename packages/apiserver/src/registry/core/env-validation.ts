// Environments of containers, in upstream's words (upstream: ValidateEnv, validateEnvFrom). Pure.

import type { EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { isConfigMapKey, isQualifiedName, isRelaxedEnvVarName } from "@picokube/api/validation/names";
import { objections, subdomainIfSet } from "../check.js";

const envFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const volumeFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const knownFields = new Set([
  ...envFields,
  "metadata.labels",
  "metadata.annotations",
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);
const containerResources = ["limits", "requests"].flatMap((side) =>
  ["cpu", "ephemeral-storage", "memory"].map((name) => `${side}.${name}`),
);

/** A fieldRef of the downward API, in an environment or a volume. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  path: string,
  use: "env" | "volume",
): FieldError[] {
  if (!apiVersion) return [required(`${path}.apiVersion`)];
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldPath);
  if (subscript) return objections(path, subscript[2], isQualifiedName(subscript[2]!.toLowerCase()));
  if (!knownFields.has(fieldPath)) {
    const why = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalidValue(`${path}.fieldPath`, fieldPath, why)];
  }
  const supported = use === "env" ? envFields : volumeFields;
  return supported.includes(fieldPath) ? [] : [notSupported(`${path}.fieldPath`, fieldPath, supported)];
}

/** A resourceFieldRef; in a volume it names its container. */
export function validateResourceFieldRef(
  selector: { containerName?: string; resource: string },
  path: string,
  use: "env" | "volume",
): FieldError[] {
  if (use === "volume" && !selector.containerName) return [required(`${path}.containerName`)];
  if (!selector.resource) return [required(`${path}.resource`)];
  if (containerResources.includes(selector.resource) || /^(limits|requests)\.hugepages-/.test(selector.resource)) {
    return [];
  }
  return [notSupported(`${path}.resource`, selector.resource, containerResources)];
}

function validateKeyRef(reference: { name?: string; key: string }, path: string): FieldError[] {
  const faults = reference.name ? [] : [required(`${path}.name`)];
  if (!reference.key) return [...faults, required(`${path}.key`)];
  return [...faults, ...objections(`${path}.key`, reference.key, isConfigMapKey(reference.key))];
}

function validateValueFrom(source: EnvVarSource, value: string | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter(Boolean).length;
  if (fieldRef) faults.push(...validateFieldRef(fieldRef, `${path}.fieldRef`, "env"));
  if (resourceFieldRef) faults.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, "env"));
  if (configMapKeyRef) faults.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) faults.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  if (count === 0) {
    const names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
    faults.push(invalidValue(path, "", `must specify one of: ${names}`));
  } else if (value) {
    faults.push(invalidValue(path, "", "may not be specified when `value` is not empty"));
  } else if (count > 1) {
    faults.push(invalidValue(path, "", "may not have more than one field specified at a time"));
  }
  return faults;
}

/** The variables that a container names itself. */
export function validateEnv(env: readonly EnvVar[] | undefined, path: string): FieldError[] {
  return (env ?? []).flatMap(({ name, value, valueFrom }, index) => {
    const at = `${path}[${index}]`;
    const faults = name ? objections(`${at}.name`, name, isRelaxedEnvVarName(name)) : [required(`${at}.name`)];
    return valueFrom ? [...faults, ...validateValueFrom(valueFrom, value, `${at}.valueFrom`)] : faults;
  });
}

/** The ConfigMaps and Secrets whose keys become variables. */
export function validateEnvFrom(sources: readonly EnvFromSource[] | undefined, path: string): FieldError[] {
  return (sources ?? []).flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    const faults = prefix ? objections(`${at}.prefix`, prefix, isRelaxedEnvVarName(prefix)) : [];
    const named = (reference: { name?: string } | undefined, field: string) => {
      if (!reference) return;
      faults.push(...(reference.name ? subdomainIfSet(`${field}.name`, reference.name) : [required(`${field}.name`)]));
    };
    named(configMapRef, `${at}.configMapRef`);
    named(secretRef, `${at}.secretRef`);
    if (configMapRef && secretRef) {
      faults.push(invalidValue(at, "", "may not have more than one field specified at a time"));
    } else if (!configMapRef && !secretRef) {
      faults.push(invalidValue(at, "", "must specify one of: `configMapRef` or `secretRef`"));
    }
    return faults;
  });
}
