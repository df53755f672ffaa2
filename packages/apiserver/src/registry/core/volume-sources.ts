// The sources that pods and PersistentVolumes share, in upstream's words (upstream: validate...VolumeSource). Pure.

import type { PersistentVolumeSpec, Volume } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { inclusiveRangeError, isDNS1123Label } from "@picokube/api/validation/names";
import { noBacksteps, objections, requiredLabel } from "../check.js";
import type { SourceCheck } from "./volume-source-rules.js";

type Source<Field extends keyof Volume> = NonNullable<Volume[Field]>;
type PersistentSource<Field extends keyof PersistentVolumeSpec> = NonNullable<PersistentVolumeSpec[Field]>;

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

/** A directory or file of the node. */
export const validateHostPath: SourceCheck<Source<"hostPath">> = ({ path: target, type }, path) => {
  if (!target) return [required(`${path}.path`)];
  const faults = noBacksteps(`${path}.path`, target);
  const isKnown = type === undefined || hostPathTypes.includes(type);
  return isKnown ? faults : [...faults, notSupported(`${path}.type`, type, hostPathTypes)];
};

/** An NFS export. */
export const validateNfs: SourceCheck<Source<"nfs">> = ({ server, path: target = "" }, path) => [
  ...(server ? [] : [required(`${path}.server`)]),
  ...(target ? [] : [required(`${path}.path`)]),
  ...(target.startsWith("/") ? [] : [invalidValue(`${path}.path`, target, "must be an absolute path")]),
];

/** A disk of a cloud: its name's field, and a partition. */
export function validateDisk<Field extends "pdName" | "volumeID">(
  name: Field,
): SourceCheck<{ [Key in Field]: string } & { partition?: number }> {
  return (disk, path) => {
    const faults = disk[name] ? [] : [required(`${path}.${name}`)];
    const { partition = 0 } = disk;
    const fits = partition >= 0 && partition <= 255;
    // Upstream allows 0 and says 1.
    return fits ? faults : [...faults, invalidValue(`${path}.partition`, partition, inclusiveRangeError(1, 255))];
  };
}

const iqnPattern = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/;

function validateInitiator(name: string, field: string, badStart: string): FieldError[] {
  const format =
    name.startsWith("iqn") && !iqnPattern.test(name)
      ? false
      : name.startsWith("eui")
        ? /^eui.[A-Za-z0-9]{16}$/.test(name)
        : !name.startsWith("naa") || /^naa.[A-Za-z0-9]{32}$/.test(name);
  if (!/^(iqn|eui|naa)/.test(name)) return [invalidValue(field, name, badStart)];
  return format ? [] : [invalidValue(field, name, "must be valid format")];
}

/** An iSCSI target, of a pod or of a PersistentVolume. */
export function validateIscsi(of: "pod" | "volume"): SourceCheck<Source<"iscsi"> | PersistentSource<"iscsi">> {
  const badStart = of === "pod" ? "must be valid format starting with iqn, eui, or naa" : "must be valid format";
  return (source, path, { volumeName }) => {
    const { targetPortal, iqn, lun = 0, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source;
    const faults: FieldError[] = targetPortal ? [] : [required(`${path}.targetPortal`)];
    const isLong = initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > 64;
    const words =
      "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
    if (isLong && of === "volume") faults.push(invalidValue(`${path}.targetportal`, targetPortal, words));
    faults.push(...(iqn ? validateInitiator(iqn, `${path}.iqn`, badStart) : [required(`${path}.iqn`)]));
    if (lun < 0 || lun > 255) faults.push(invalidValue(`${path}.lun`, lun, inclusiveRangeError(0, 255)));
    if ((chapAuthDiscovery || chapAuthSession) && !secretRef) faults.push(required(`${path}.secretRef`));
    if (of === "volume" && secretRef && !secretRef.name) faults.push(required(`${path}.secretRef.name`));
    if (initiatorName !== undefined) {
      faults.push(...validateInitiator(initiatorName, `${path}.initiatorname`, badStart));
    }
    if (isLong && of === "pod") faults.push(invalidValue(path.replace(/iscsi$/, "name"), volumeName, words));
    return faults;
  };
}

/** A Fibre Channel target: by world wide names with a unit, or by identifiers. */
export const validateFc: SourceCheck<Source<"fc">> = ({ targetWWNs = [], wwids = [], lun }, path) => {
  const at = `${path}.targetWWNs`;
  const faults: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0) {
    faults.push(required(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length === 0) return faults;
  if (wwids.length > 0) {
    faults.push(invalidValue(at, targetWWNs, "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (lun === undefined) faults.push(required(`${path}.lun`, "lun is required if targetWWNs is specified"));
  else if (lun < 0 || lun > 255) faults.push(invalidValue(`${path}.lun`, lun, inclusiveRangeError(0, 255)));
  return faults;
};

/** A Flocker dataset: by name or by UUID. */
export const validateFlocker: SourceCheck<Source<"flocker">> = ({ datasetName = "", datasetUUID = "" }, path) => {
  const faults: FieldError[] = [];
  if (!datasetName && !datasetUUID) faults.push(required(path, "one of datasetName and datasetUUID is required"));
  if (datasetName && datasetUUID) {
    faults.push(invalidValue(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  }
  if (datasetName.includes("/")) {
    faults.push(invalidValue(`${path}.datasetName`, datasetName, "must not contain '/'"));
  }
  return faults;
};

/** A driver of the old FlexVolume interface. */
export const validateFlexVolume: SourceCheck<Pick<Source<"flexVolume">, "driver" | "options">> = (source, path) => [
  ...(source.driver ? [] : [required(`${path}.driver`)]),
  ...Object.keys(source.options ?? {})
    .filter((key) => /\.(kubernetes|k8s)\.io$/.test(`.${key.split("/")[0]!.toLowerCase()}`) && key !== "")
    .map((key) => invalidValue(`${path}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved")),
];

/** A Quobyte volume. */
export const validateQuobyte: SourceCheck<Source<"quobyte">> = ({ registry, tenant = "", volume }, path) => {
  const words = "must be a host:port pair or multiple pairs separated by commas";
  const faults: FieldError[] = [];
  if (!registry) faults.push(required(`${path}.registry`, words));
  else if (tenant.length >= 65) {
    faults.push(required(`${path}.tenant`, "must be a UUID and may not exceed a length of 64 characters"));
  } else {
    const wrong = registry.split(",").filter((pair) => !/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair));
    faults.push(...wrong.map(() => invalidValue(`${path}.registry`, registry, words)));
  }
  return volume ? faults : [...faults, required(`${path}.volume`)];
};

/** An Azure data disk. */
export const validateAzureDisk: SourceCheck<Source<"azureDisk">> = (source, path) => {
  const { diskName, diskURI = "", cachingMode, kind } = source;
  const cachingModes = ["None", "ReadOnly", "ReadWrite"];
  const kinds = ["Dedicated", "Managed", "Shared"];
  const faults = [
    ...(diskName ? [] : [required(`${path}.diskName`)]),
    ...(diskURI ? [] : [required(`${path}.diskURI`)]),
  ];
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    faults.push(notSupported(`${path}.cachingMode`, cachingMode, cachingModes));
  }
  if (kind !== undefined && !kinds.includes(kind)) faults.push(notSupported(`${path}.kind`, kind, kinds));
  const managed = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
  const blob = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) {
    faults.push(notSupported(`${path}.diskURI`, diskURI, [managed]));
  }
  if (kind !== undefined && kind !== "Managed" && !diskURI.startsWith("https://")) {
    faults.push(notSupported(`${path}.diskURI`, diskURI, [blob]));
  }
  return faults;
};

/** A StorageOS volume. */
export const validateStorageos: SourceCheck<{ volumeName?: string; volumeNamespace?: string }> = (source, path) => [
  ...requiredLabel(`${path}.volumeName`, source.volumeName),
  ...(source.volumeNamespace
    ? objections(`${path}.volumeNamespace`, source.volumeNamespace, isDNS1123Label(source.volumeNamespace))
    : []),
];
