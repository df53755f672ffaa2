// What valid PersistentVolumes and claims are, in upstream's words (upstream: ValidatePersistentVolume,
// ValidatePersistentVolumeClaim). Pure.

import type { PersistentVolume, PersistentVolumeClaim } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { noBacksteps, oneOfIfSet, subdomainIfSet } from "../check.js";
import { immutable } from "../immutable.js";
import { validateLabelSelector } from "../label-validation.js";
import { nonnegativeQuantity, quantityOrUndefined } from "./resource-validation.js";

type VolumeSpec = NonNullable<PersistentVolume["spec"]>;
type ClaimSpec = NonNullable<PersistentVolumeClaim["spec"]>;

const modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const notSources = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

const sourceOf = (spec: VolumeSpec | undefined) =>
  Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !notSources.has(field)));

function validateModes(accessModes: readonly string[] | undefined, words: string): FieldError[] {
  const path = "spec.accessModes";
  const list = accessModes ?? [];
  if (list.length === 0) return [required(path, words)];
  const faults = list.filter((mode) => !modes.includes(mode)).map((mode) => notSupported(path, mode, modes));
  if (list.includes("ReadWriteOncePod") && list.length > 1) {
    faults.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return faults;
}

/** A PersistentVolume as it is created. */
export function validatePersistentVolume({ spec = {} }: PersistentVolume): FieldError[] {
  const faults = validateModes(spec.accessModes, "");
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) faults.push(required("spec.capacity"));
  else if (capacity.storage === undefined || Object.keys(capacity).length > 1) {
    faults.push(notSupported("spec.capacity", capacity, ["storage"]));
  }
  for (const [name, value] of Object.entries(capacity)) {
    const field = `spec.capacity[${name}]`;
    const found = nonnegativeQuantity(field, value);
    faults.push(...found);
    if (found.length === 0 && quantityOrUndefined(value)?.isZero) {
      faults.push(invalidValue(field, String(value), "must be greater than zero"));
    }
  }
  faults.push(
    ...oneOfIfSet("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, [
      "Delete",
      "Recycle",
      "Retain",
    ]),
  );
  const sources = Object.keys(sourceOf(spec));
  if (sources.length === 0) faults.push(required("spec", "must specify a volume type"));
  for (const source of sources.slice(1)) {
    faults.push(forbiddenField(`spec.${source}`, "may not specify more than 1 volume type"));
  }
  if (spec.hostPath) {
    if (!spec.hostPath.path) faults.push(required("spec.hostPath.path"));
    else faults.push(...noBacksteps("spec.hostPath.path", spec.hostPath.path));
    if (spec.hostPath.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle") {
      const words = "may not be 'recycle' for a hostPath mount of '/'";
      faults.push(forbiddenField("spec.persistentVolumeReclaimPolicy", words));
    }
  }
  if (spec.local) {
    if (!spec.local.path) faults.push(required("spec.local.path"));
    if (!spec.nodeAffinity) faults.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
  }
  faults.push(...subdomainIfSet("spec.storageClassName", spec.storageClassName));
  return [...faults, ...oneOfIfSet("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"])];
}

/** A change of a PersistentVolume: its source stays. */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const faults = validatePersistentVolume(volume);
  if (!semanticDeepEqual(sourceOf(volume.spec), sourceOf(old.spec))) {
    const words = "spec.persistentvolumesource is immutable after creation";
    faults.push(forbiddenField("spec.persistentvolumesource", words));
  }
  return [...faults, ...immutable("spec.volumeMode", volume.spec?.volumeMode, old.spec?.volumeMode)];
}

/** A PersistentVolumeClaim as it is created. */
export function validatePersistentVolumeClaim({ spec = {} }: PersistentVolumeClaim): FieldError[] {
  const faults = validateModes(spec.accessModes, "at least 1 access mode is required");
  faults.push(...validateLabelSelector(spec.selector, "spec.selector"));
  const storage = spec.resources?.requests?.storage;
  if (storage === undefined) faults.push(required("spec.resources[storage]"));
  else {
    const found = nonnegativeQuantity("spec.resources[storage]", storage);
    faults.push(...found);
    if (found.length === 0 && quantityOrUndefined(storage)?.isZero) {
      faults.push(invalidValue("spec.resources[storage]", String(storage), "must be greater than zero"));
    }
  }
  faults.push(...subdomainIfSet("spec.storageClassName", spec.storageClassName));
  return [...faults, ...oneOfIfSet("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"])];
}

/** A change of a claim: binding and, once bound, its size. */
export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const faults = validatePersistentVolumeClaim(claim);
  const isBound = old.status?.phase === "Bound";
  const fixed = ({ resources, volumeAttributesClassName, volumeName, ...rest }: ClaimSpec) => ({
    ...rest,
    ...(old.spec?.volumeName ? { volumeName } : {}),
    ...(old.spec?.storageClassName === undefined ? { storageClassName: undefined } : {}),
    ...(isBound ? {} : { resources, volumeAttributesClassName }),
  });
  if (!semanticDeepEqual(fixed(claim.spec ?? {}), fixed(old.spec ?? {}))) {
    const words =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    faults.push(forbiddenField("spec", words));
  }
  const now = quantityOrUndefined(claim.spec?.resources?.requests?.storage);
  const then = quantityOrUndefined(old.status?.capacity?.storage ?? old.spec?.resources?.requests?.storage);
  if (isBound && now && then && now.compare(then) < 0) {
    faults.push(forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  return faults;
}
