// Volumes made of files out of the API: secret, configMap, downwardAPI and projected, in upstream's words (upstream:
// validateSecretVolumeSource, validateDownwardAPIVolumeSource, validateProjectedVolumeSource). Pure.

import type { KeyToPath, Volume } from "@picokube/api/core/v1";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { localNonReservedPath } from "../check.js";
import { validateFieldRef, validateResourceFieldRef } from "./env-validation.js";
import type { SourceCheck } from "./volume-source-rules.js";

type Source<Field extends keyof Volume> = NonNullable<Volume[Field]>;
type DownwardFile = NonNullable<Source<"downwardAPI">["items"]>[number];
type Projection = NonNullable<Source<"projected">["sources"]>[number];

function validateMode(mode: number | undefined, field: string): FieldError[] {
  const words = "must be a number between 0 and 0777 (octal), both inclusive";
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalidValue(field, mode, words)] : [];
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path: target, mode }, index) => {
    const at = `${path}[${index}]`;
    return [
      ...(key ? [] : [required(`${at}.key`)]),
      ...(target ? localNonReservedPath(`${at}.path`, target) : [required(`${at}.path`)]),
      ...validateMode(mode, `${at}.mode`),
    ];
  });
}

/** A Secret as files. */
export const validateSecretVolume: SourceCheck<Source<"secret">> = ({ secretName, defaultMode, items }, path) => [
  ...(secretName ? [] : [required(`${path}.secretName`)]),
  ...validateMode(defaultMode, `${path}.defaultMode`),
  ...validateItems(items, `${path}.items`),
];

/** A ConfigMap as files. */
export const validateConfigMapVolume: SourceCheck<Source<"configMap">> = ({ name, defaultMode, items }, path) => [
  ...(name ? [] : [required(`${path}.name`)]),
  ...validateMode(defaultMode, `${path}.defaultMode`),
  ...validateItems(items, `${path}.items`),
];

/** One file of the downward API; upstream names the volume, never the item. */
function validateDownwardFile(file: DownwardFile, path: string): FieldError[] {
  const { path: target, fieldRef, resourceFieldRef, mode } = file;
  const faults = target ? localNonReservedPath(`${path}.path`, target) : [required(`${path}.path`)];
  if (fieldRef) {
    faults.push(...validateFieldRef(fieldRef, `${path}.fieldRef`, "volume"));
    const words = "fieldRef and resourceFieldRef can not be specified simultaneously";
    if (resourceFieldRef) faults.push(invalidValue(path, "resource", words));
  } else if (resourceFieldRef) {
    faults.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, "volume"));
  } else faults.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...faults, ...validateMode(mode, `${path}.mode`)];
}

/** The pod's own fields as files. */
export const validateDownwardVolume: SourceCheck<Source<"downwardAPI">> = ({ defaultMode, items }, path) => [
  ...validateMode(defaultMode, `${path}.defaultMode`),
  ...(items ?? []).flatMap((file) => validateDownwardFile(file, path)),
];

/** Notes each path; what is told of a path that was there before is upstream's choice for each kind of source. */
class Paths {
  readonly #seen = new Set<string>();

  conflicts(target: string | undefined, { field, value }: { field: string; value: string | undefined }): FieldError[] {
    if (!target) return [];
    if (this.#seen.has(target)) return [invalidValue(field, value, "conflicting duplicate paths")];
    this.#seen.add(target);
    return [];
  }
}

function validateToken(token: NonNullable<Projection["serviceAccountToken"]>, at: string, path: string): FieldError[] {
  const { expirationSeconds: seconds = 0, path: target } = token;
  const field = `${at}.expirationSeconds`;
  const faults: FieldError[] = [];
  if (seconds < 600) faults.push(invalidValue(field, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > 2 ** 32) {
    faults.push(invalidValue(field, seconds, "may not specify a duration larger than 2^32 seconds"));
  }
  // Upstream leaves the source's index out of the path.
  return [...faults, ...(target ? localNonReservedPath(`${path}.path`, target) : [required(`${path}.path`)])];
}

/** Several sources below one directory, each file from one of them. */
export const validateProjectedVolume: SourceCheck<Source<"projected">> = ({ defaultMode, sources }, path) => {
  const faults = validateMode(defaultMode, `${path}.defaultMode`);
  const paths = new Paths();
  for (const [index, source] of (sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    for (const kind of ["secret", "configMap"] as const) {
      const file = source[kind];
      if (!file) continue;
      if (!file.name) faults.push(required(`${at}.${kind}.name`));
      for (const [itemIndex, item] of (file.items ?? []).entries()) {
        const found = validateItems([item], "");
        faults.push(
          ...found.map((fault) => ({
            ...fault,
            field: `${at}.${kind}.items[${itemIndex}]${fault.field.replace("[0]", "")}`,
          })),
          ...paths.conflicts(item.path, { field: path, value: file.name }),
        );
      }
    }
    for (const file of source.downwardAPI?.items ?? []) {
      faults.push(...validateDownwardFile(file, `${at}.downwardAPI`));
      faults.push(...paths.conflicts(file.path, { field: path, value: file.path }));
    }
    const token = source.serviceAccountToken;
    if (token) faults.push(...validateToken(token, `${at}.serviceAccountToken`, path));
    if (Object.values(source).filter((value) => value !== undefined).length > 1) {
      faults.push(forbiddenField(at, "may not specify more than 1 volume type per source"));
    }
  }
  return faults;
};
