// Where containers see volumes: mounts and devices, in upstream's words (upstream: ValidateVolumeMounts,
// ValidateVolumeDevices). Pure.

import type { Container, EphemeralContainer, Volume, VolumeMount } from "@picokube/api/core/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { localDescendingPath, noBacksteps } from "../check.js";

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursions = ["Disabled", "Enabled", "IfPossible"];

function validatePropagation({ mountPropagation: propagation }: VolumeMount, path: string, privileged: boolean) {
  if (propagation === undefined) return [];
  if (!propagations.includes(propagation)) return [notSupported(path, propagation, propagations)];
  const words = "Bidirectional mount propagation is available only to privileged containers";
  return propagation === "Bidirectional" && !privileged ? [forbiddenField(path, words)] : [];
}

function validateRecursion({ recursiveReadOnly, readOnly, mountPropagation }: VolumeMount, path: string): FieldError[] {
  if (recursiveReadOnly === undefined || recursiveReadOnly === "Disabled") return [];
  if (!recursions.includes(recursiveReadOnly)) return [notSupported(path, recursiveReadOnly, recursions)];
  const faults = readOnly ? [] : [forbiddenField(path, "may only be specified when readOnly is true")];
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    faults.push(forbiddenField(path, "may only be specified when mountPropagation is None or not specified"));
  }
  return faults;
}

/** A container's mounts: each of a valid volume, each at a place of its own. */
export function validateVolumeMounts(
  { volumeMounts, volumeDevices, securityContext }: Container | EphemeralContainer,
  path: string,
  volumes: ReadonlyMap<string, Volume>,
): FieldError[] {
  const devices = volumeDevices ?? [];
  const places = new Set<string>();
  return ((volumeMounts ?? []) as VolumeMount[]).flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const { name, mountPath, subPath, subPathExpr } = mount;
    const faults = name ? [] : [required(`${at}.name`)];
    if (!volumes.has(name)) faults.push(notFoundValue(`${at}.name`, name));
    if (!mountPath) faults.push(required(`${at}.mountPath`));
    if (places.has(mountPath)) faults.push(invalidValue(`${at}.mountPath`, mountPath, "must be unique"));
    places.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      faults.push(invalidValue(`${at}.name`, name, "must not already exist in volumeDevices"));
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      faults.push(invalidValue(`${at}.mountPath`, mountPath, "must not already exist as a path in volumeDevices"));
    }
    // Upstream leaves the index out of the paths from here on.
    if (subPath) faults.push(...localDescendingPath(`${path}.subPath`, subPath));
    if (subPathExpr) {
      const words = "subPathExpr and subPath are mutually exclusive";
      if (subPath) faults.push(invalidValue(`${at}.subPathExpr`, subPathExpr, words));
      faults.push(...localDescendingPath(`${path}.subPathExpr`, subPathExpr));
    }
    return [
      ...faults,
      ...validatePropagation(mount, `${path}.mountPropagation`, securityContext?.privileged === true),
      ...validateRecursion(mount, `${path}.recursiveReadOnly`),
    ];
  });
}

/** A container's raw block devices: each a claim's, each at a place of its own. */
export function validateVolumeDevices(
  devices: Container["volumeDevices"],
  path: string,
  { mounts, volumes }: { mounts: readonly VolumeMount[]; volumes: ReadonlyMap<string, Volume> },
): FieldError[] {
  const names = new Set<string>();
  const places = new Set<string>();
  return (devices ?? []).flatMap(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`;
    const volume = volumes.get(name);
    const faults = name ? [] : [required(`${at}.name`)];
    if (names.has(name)) faults.push(invalidValue(`${at}.name`, name, "must be unique"));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      faults.push(invalidValue(`${at}.name`, name, words));
    }
    if (!volume) faults.push(notFoundValue(`${at}.name`, name));
    if (!devicePath) faults.push(required(`${at}.devicePath`));
    if (places.has(devicePath)) faults.push(invalidValue(`${at}.devicePath`, devicePath, "must be unique"));
    if (devicePath && noBacksteps("", devicePath).length > 0) {
      faults.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else places.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      faults.push(invalidValue(`${at}.name`, name, "must not already exist in volumeMounts"));
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      faults.push(invalidValue(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"));
    }
    if (name) names.add(name);
    return faults;
  });
}
