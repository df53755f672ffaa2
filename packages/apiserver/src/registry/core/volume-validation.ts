// Volumes of pods, in upstream's words (upstream: ValidateVolumes). Pure.

import type { KeyToPath, Volume } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { localDescendingPath, noBacksteps, objections, requiredLabel } from "../check.js";
import { validateFieldRef, validateResourceFieldRef } from "./env-validation.js";
import { nonnegativeQuantity } from "./resource-validation.js";

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

const modeWords = "must be a number between 0 and 0777 (octal), both inclusive";

function validateMode(mode: number | undefined, field: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalidValue(field, mode, modeWords)] : [];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: target, mode }, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(key ? [] : [required(`${at}.key`)]),
      ...(target ? localFile(`${at}.path`, target) : [required(`${at}.path`)]),
      ...validateMode(mode, `${at}.mode`),
    ];
  });
}

function localFile(field: string, path: string): FieldError[] {
  const faults = localDescendingPath(field, path);
  return path.startsWith("..") && faults.length === 0
    ? [invalidValue(field, path, "must not start with '..'")]
    : faults;
}

type DownwardItems = NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>;

function validateDownwardItems(items: DownwardItems | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const faults = item.path ? localFile(`${at}.path`, item.path) : [required(`${at}.path`)];
    if (item.fieldRef) {
      faults.push(...validateFieldRef(item.fieldRef, `${at}.fieldRef`, "volume"));
      if (item.resourceFieldRef) {
        const words = "fieldRef and resourceFieldRef can not be specified simultaneously";
        faults.push(invalidValue(at, "resource", words));
      }
    } else if (item.resourceFieldRef) {
      faults.push(...validateResourceFieldRef(item.resourceFieldRef, `${at}.resourceFieldRef`, "volume"));
    } else faults.push(required(at, "one of fieldRef and resourceFieldRef is required"));
    return [...faults, ...validateMode(item.mode, `${at}.mode`)];
  });
}

function validateProjected(projected: NonNullable<Volume["projected"]>, path: string): FieldError[] {
  const faults = validateMode(projected.defaultMode, `${path}.defaultMode`);
  for (const [index, source] of (projected.sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    const kinds = Object.keys(source);
    if (kinds.length === 0) faults.push(required(`${path}.sources[${index}]`));
    for (const kind of kinds.slice(1)) {
      faults.push(forbiddenField(`${at}.${kind}`, "may not specify more than 1 volume type per source"));
    }
    for (const kind of ["secret", "configMap"] as const) {
      const file = source[kind];
      if (!file) continue;
      if (!file.name) faults.push(required(`${at}.${kind}.name`));
      faults.push(...validateItems(file.items, `${at}.${kind}.items`));
    }
    if (source.downwardAPI) faults.push(...validateDownwardItems(source.downwardAPI.items, `${at}.downwardAPI.items`));
    const token = source.serviceAccountToken;
    if (!token) continue;
    const field = `${at}.serviceAccountToken`;
    const seconds = token.expirationSeconds;
    if (seconds === undefined) faults.push(required(`${field}.expirationSeconds`));
    else if (seconds < 600) {
      faults.push(
        invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"),
      );
    } else if (seconds > 2 ** 32) {
      faults.push(
        invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds"),
      );
    }
    faults.push(...(token.path ? localFile(`${field}.path`, token.path) : [required(`${field}.path`)]));
  }
  return faults;
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const { emptyDir, hostPath, secret, configMap, nfs, persistentVolumeClaim, downwardAPI, projected } = volume;
  const kinds = Object.keys(volume).filter((key) => key !== "name");
  if (kinds.length === 0) return [required(path, "must specify a volume type")];
  for (const kind of kinds.slice(1)) {
    faults.push(forbiddenField(`${path}.${kind}`, "may not specify more than 1 volume type"));
  }
  if (kinds.length > 1) return faults;
  if (emptyDir?.sizeLimit !== undefined && nonnegativeQuantity("", emptyDir.sizeLimit).length > 0) {
    faults.push(forbiddenField(`${path}.emptyDir.sizeLimit`, "SizeLimit field must be a valid resource quantity"));
  }
  if (hostPath) {
    if (!hostPath.path) faults.push(required(`${path}.hostPath.path`));
    else faults.push(...noBacksteps(`${path}.hostPath.path`, hostPath.path));
    if (hostPath.type && !hostPathTypes.includes(hostPath.type)) {
      faults.push(notSupported(`${path}.hostPath.type`, hostPath.type, hostPathTypes));
    }
  }
  if (secret) {
    if (!secret.secretName) faults.push(required(`${path}.secret.secretName`));
    faults.push(...validateMode(secret.defaultMode, `${path}.secret.defaultMode`));
    faults.push(...validateItems(secret.items, `${path}.secret.items`));
  }
  if (configMap) {
    if (!configMap.name) faults.push(required(`${path}.configMap.name`));
    faults.push(...validateMode(configMap.defaultMode, `${path}.configMap.defaultMode`));
    faults.push(...validateItems(configMap.items, `${path}.configMap.items`));
  }
  if (nfs) {
    if (!nfs.server) faults.push(required(`${path}.nfs.server`));
    if (!nfs.path) faults.push(required(`${path}.nfs.path`));
    else if (!nfs.path.startsWith("/"))
      faults.push(invalidValue(`${path}.nfs.path`, nfs.path, "must be an absolute path"));
  }
  if (persistentVolumeClaim) {
    const { claimName } = persistentVolumeClaim;
    const field = `${path}.persistentVolumeClaim.claimName`;
    faults.push(...(claimName ? objections(field, claimName, isDNS1123Subdomain(claimName)) : [required(field)]));
  }
  if (downwardAPI) {
    faults.push(...validateMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`));
    faults.push(...validateDownwardItems(downwardAPI.items, `${path}.downwardAPI.items`));
  }
  if (projected) faults.push(...validateProjected(projected, `${path}.projected`));
  return faults;
}

/** All volumes of a pod. */
export function validateVolumes(volumes: readonly Volume[] | undefined, path: string): FieldError[] {
  const names = new Set<string>();
  return (volumes ?? []).flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const faults = validateSource(volume, at);
    const nameFaults = requiredLabel(`${at}.name`, volume.name);
    if (nameFaults.length === 0 && names.has(volume.name)) nameFaults.push(duplicate(`${at}.name`, volume.name));
    names.add(volume.name);
    return [...faults, ...nameFaults];
  });
}
