// Environments of containers, in upstream's words (upstream: ValidateEnv, validateEnvFrom). Pure.

import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "@picokube/api/core/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import {
  isConfigMapKey,
  isDNS1123Subdomain,
  isQualifiedName,
  isRelaxedEnvVarName,
} from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { quantityOrUndefined } from "./resource-validation.js";

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
  const refused = (why: string) => [invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`)];
  if (apiVersion !== "v1") return refused(`unsupported pod version: ${apiVersion}`);
  const subscript = /^(.*)\['(.*)'\]$/.exec(fieldPath);
  if (subscript) {
    const key = subscript[2]!;
    if (subscript[1] === "metadata.labels") return objections(path, key, isQualifiedName(key));
    if (subscript[1] === "metadata.annotations") {
      return objections(path, key.toLowerCase(), isQualifiedName(key.toLowerCase()));
    }
    return refused(`field label does not support subscript: ${fieldPath}`);
  }
  const name = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
  if (!knownFields.has(name)) return refused(`field label not supported: ${fieldPath}`);
  const supported = use === "env" ? envFields : volumeFields;
  return supported.includes(name) ? [] : [notSupported(`${path}.fieldPath`, name, supported)];
}

const cpuDivisors = ["1m", "1"];
const sizeDivisors = ["1", ...["k", "M", "G", "T", "P", "E"].map((unit) => `1${unit}`)].concat(
  ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit) => `1${unit}`),
);

function validateDivisor(resource: string, divisor: string | number | undefined, path: string): FieldError[] {
  const quantity = quantityOrUndefined(divisor);
  if (!quantity || quantity.isZero) return [];
  const refused = (supported: readonly string[], words: string) =>
    supported.includes(quantity.toString())
      ? []
      : [invalidValue(`${path}.divisor`, resource, `only divisor's values ${words}`)];
  const sizes = sizeDivisors.join(", ");
  const name = resource.replace(/^(limits|requests)\./, "");
  if (name === "cpu") return refused(cpuDivisors, "1m and 1 are supported with the cpu resource");
  if (name === "memory") return refused(sizeDivisors, `${sizes} are supported with the memory resource`);
  if (name === "ephemeral-storage") {
    return refused(sizeDivisors, `${sizes} are supported with the local ephemeral storage resource`);
  }
  return name.startsWith("hugepages-")
    ? refused(sizeDivisors, `${sizes} are supported with the hugepages resource`)
    : [];
}

/** A resourceFieldRef; in a volume it names its container. */
export function validateResourceFieldRef(
  { containerName, resource = "", divisor }: ResourceFieldSelector,
  path: string,
  use: "env" | "volume",
): FieldError[] {
  const faults: FieldError[] = [];
  const isKnown = containerResources.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource);
  if (use === "volume" && !containerName) faults.push(required(`${path}.containerName`));
  else if (!resource) faults.push(required(`${path}.resource`));
  else if (!isKnown) faults.push(notSupported(`${path}.resource`, resource, containerResources));
  return [...faults, ...validateDivisor(resource, divisor, path)];
}

function validateKeyRef({ name = "", key }: { name?: string; key: string }, path: string): FieldError[] {
  const faults = objections(`${path}.name`, name, isDNS1123Subdomain(name));
  if (!key) return [...faults, required(`${path}.key`)];
  return [...faults, ...objections(`${path}.key`, key, isConfigMapKey(key))];
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
      const { name = "" } = reference;
      // Upstream lets the name end in a dash, as a generated name's base may.
      const words = isDNS1123Subdomain(name.replace(/(?<=.)-$/, ""));
      faults.push(...(name ? objections(`${field}.name`, name, words) : [required(`${field}.name`)]));
    };
    named(configMapRef, `${at}.configMapRef`);
    named(secretRef, `${at}.secretRef`);
    if (configMapRef && secretRef) {
      // Upstream leaves the index out of both paths.
      faults.push(invalidValue(path, "", "may not have more than one field specified at a time"));
    } else if (!configMapRef && !secretRef) {
      faults.push(invalidValue(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    }
    return faults;
  });
}
