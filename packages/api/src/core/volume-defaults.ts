// Defaults of volumes, wherever they stand (upstream: SetDefaults_Volume and its sources). Pure, in place, idempotent.

import { canonicalOrSame, setResourceListDefaults } from "./resource-defaults.js";
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec, Volume } from "./v1.js";

/** 0644 in decimal, as JSON carries it. */
const defaultMode = 420;

interface FieldReference {
  fieldRef?: { apiVersion?: string; fieldPath: string };
}

/** Fills the apiVersion of a fieldRef. */
export function setFieldRefDefaults(source: FieldReference | undefined): void {
  if (source?.fieldRef) source.fieldRef.apiVersion ||= "v1";
}

type SharedSources = Pick<PersistentVolumeSpec, "hostPath"> &
  Pick<Volume, "hostPath"> & {
    iscsi?: { iscsiInterface?: string };
    rbd?: { pool?: string; user?: string; keyring?: string };
    azureDisk?: { cachingMode?: string; fsType?: string; kind?: string; readOnly?: boolean };
    scaleIO?: { storageMode?: string; fsType?: string };
  };

/** The sources that pods and PersistentVolumes share. */
export function setVolumeSourceDefaults(source: SharedSources): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = source;
  if (hostPath) hostPath.type ??= "";
  if (iscsi) iscsi.iscsiInterface ||= "default";
  if (rbd) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.fsType ??= "ext4";
    azureDisk.kind ??= "Shared";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}

/** One volume of a pod; a volume without a source becomes an emptyDir. */
export function setVolumeDefaults(volume: Volume): void {
  const sources = Object.entries(volume).filter(([key, value]) => key !== "name" && value !== undefined);
  if (sources.length === 0) volume.emptyDir = {};
  setVolumeSourceDefaults(volume as SharedSources);
  if (volume.emptyDir?.sizeLimit !== undefined) volume.emptyDir.sizeLimit = canonicalOrSame(volume.emptyDir.sizeLimit);
  const { secret, configMap, downwardAPI, projected, ephemeral, image } = volume;
  if (secret) secret.defaultMode ??= defaultMode;
  if (configMap) configMap.defaultMode ??= defaultMode;
  if (downwardAPI) {
    downwardAPI.defaultMode ??= defaultMode;
    for (const item of downwardAPI.items ?? []) setFieldRefDefaults(item);
  }
  if (projected) {
    projected.defaultMode ??= defaultMode;
    for (const { serviceAccountToken, downwardAPI: files } of projected.sources ?? []) {
      if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600;
      for (const item of files?.items ?? []) setFieldRefDefaults(item);
    }
  }
  if (ephemeral?.volumeClaimTemplate?.spec) setPersistentVolumeClaimSpecDefaults(ephemeral.volumeClaimTemplate.spec);
  if (image) image.pullPolicy ||= image.reference?.endsWith(":latest") ? "Always" : "IfNotPresent";
}

/** What a PersistentVolumeClaim, and a template of one, leaves out. */
export function setPersistentVolumeClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= "Filesystem";
  setResourceListDefaults(spec.resources?.requests);
  setResourceListDefaults(spec.resources?.limits);
}
