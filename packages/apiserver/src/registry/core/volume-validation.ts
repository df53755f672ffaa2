// Volumes of pods, in upstream's words (upstream: ValidateVolumes, validateVolumeSource). Pure.

import type { Volume } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain } from "@picokube/api/validation/names";
import { localDescendingPath, objections, oneOf, requiredLabel } from "../check.js";
import { validateCsiDriverName } from "../storage/csi-driver-name.js";
import { validateClaimSpec } from "./claim-validation.js";
import {
  validateConfigMapVolume,
  validateDownwardVolume,
  validateProjectedVolume,
  validateSecretVolume,
} from "./projected-volume-validation.js";
import { quantityOrUndefined } from "./resource-validation.js";
import { validateTemplateMetadata } from "./template-metadata-validation.js";
import { requires, type SourceCheck, type SourceRules, validateSources } from "./volume-source-rules.js";
import {
  validateAzureDisk,
  validateDisk,
  validateFc,
  validateFlexVolume,
  validateFlocker,
  validateHostPath,
  validateIscsi,
  validateNfs,
  validateQuobyte,
  validateStorageos,
} from "./volume-sources.js";

type Source<Field extends keyof Volume> = NonNullable<Volume[Field]>;

const validateEmptyDir: SourceCheck<Source<"emptyDir">> = ({ sizeLimit }, path) => {
  if (sizeLimit === undefined || (quantityOrUndefined(sizeLimit)?.sign ?? -1) >= 0) return [];
  return [forbiddenField(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")];
};

const validateGitRepo: SourceCheck<Source<"gitRepo">> = ({ repository, directory = "" }, path) => [
  ...(repository ? [] : [required(`${path}.repository`)]),
  ...localDescendingPath(`${path}.directory`, directory),
];

const validateCsi: SourceCheck<Source<"csi">> = ({ driver, nodePublishSecretRef }, path) => {
  const faults = validateCsiDriverName(`${path}.driver`, driver);
  if (!nodePublishSecretRef) return faults;
  const { name = "" } = nodePublishSecretRef;
  if (name === "") return [...faults, required(`${path}.nodePublishSecretRef.name`)];
  return [...faults, ...objections(`${path}.name`, name, isDNS1123Subdomain(name))];
};

const validateEphemeral: SourceCheck<Source<"ephemeral">> = ({ volumeClaimTemplate: template }, path, context) => {
  const at = `${path}.volumeClaimTemplate`;
  const faults = template
    ? [
        ...validateTemplateMetadata(template.metadata, `${at}.metadata`),
        ...validateClaimSpec(template.spec, `${at}.spec`),
      ]
    : [required(at)];
  const { podName, volumeName } = context;
  if (!podName || !volumeName) return faults;
  const claim = `${podName}-${volumeName}`;
  const words = isDNS1123Subdomain(claim).map((why) => `PVC name "${claim}": ${why}`);
  return [...faults, ...objections(path.replace(/ephemeral$/, "name"), volumeName, words)];
};

/** secretRef, when given, names its Secret. */
const named = (reference: { name?: string } | undefined, path: string): FieldError[] =>
  reference && !reference.name ? [required(`${path}.secretRef.name`)] : [];

const rules: SourceRules<Omit<Volume, "name">> = {
  emptyDir: { check: validateEmptyDir },
  hostPath: { check: validateHostPath },
  gitRepo: { check: validateGitRepo },
  gcePersistentDisk: { check: validateDisk("pdName"), at: "persistentDisk" },
  awsElasticBlockStore: { check: validateDisk("volumeID") },
  secret: { check: validateSecretVolume },
  nfs: { check: validateNfs },
  iscsi: { check: validateIscsi("pod") },
  glusterfs: { check: requires("endpoints", "path") },
  flocker: { check: validateFlocker },
  persistentVolumeClaim: { check: requires("claimName") },
  rbd: { check: requires("monitors", "image") },
  cinder: {
    check: (source, path) => [
      ...requires<typeof source>("volumeID")(source, path, none),
      ...named(source.secretRef, path),
    ],
  },
  cephfs: { check: requires("monitors"), forbiddenAt: "cephFS" },
  quobyte: { check: validateQuobyte },
  downwardAPI: { check: validateDownwardVolume, forbiddenAt: "downwarAPI" },
  fc: { check: validateFc },
  flexVolume: { check: validateFlexVolume },
  configMap: { check: validateConfigMapVolume },
  azureFile: { check: requires("secretName", "shareName") },
  vsphereVolume: { check: requires("volumePath") },
  photonPersistentDisk: { check: requires("pdID") },
  portworxVolume: { check: requires("volumeID") },
  azureDisk: { check: validateAzureDisk },
  storageos: { check: (source, path) => [...validateStorageos(source, path, none), ...named(source.secretRef, path)] },
  projected: { check: validateProjectedVolume },
  scaleIO: { check: requires("gateway", "system", "volumeName") },
  csi: { check: validateCsi },
  ephemeral: { check: validateEphemeral },
  image: {
    check: ({ pullPolicy }, path) => oneOf(`${path}.pullPolicy`, pullPolicy, ["Always", "IfNotPresent", "Never"]),
  },
};

const none = { volumeName: "" };

/** All volumes of a pod: their faults, and those that containers may mount. podName is unknown in templates. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  path: string,
  podName?: string,
): { faults: FieldError[]; valid: Map<string, Volume> } {
  const valid = new Map<string, Volume>();
  const faults: FieldError[] = [];
  const made = new Set(
    (volumes ?? []).filter(({ ephemeral }) => ephemeral && podName).map(({ name }) => `${podName}-${name}`),
  );
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`;
    const found = validateSources<Omit<Volume, "name">>(volume, rules, { path: at, volumeName: volume.name, podName });
    found.push(...requiredLabel(`${at}.name`, volume.name));
    if (valid.has(volume.name)) found.push(duplicate(`${at}.name`, volume.name));
    if (found.length === 0) valid.set(volume.name, volume);
    else faults.push(...found);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim && made.has(claim)) {
      const words = "must not reference a PVC that gets created for an ephemeral volume";
      faults.push(invalidValue(`${at}.persistentVolumeClaim.claimName`, claim, words));
    }
  }
  return { faults, valid };
}
