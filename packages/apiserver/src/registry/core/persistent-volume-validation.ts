// What valid PersistentVolumes are, in upstream's words (upstream: ValidatePersistentVolume,
// ValidatePersistentVolumeUpdate). Pure.

import type { PersistentVolume } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { goResourceList } from "@picokube/api/validation/go-syntax";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { noBacksteps, objections, oneOfIfSet, requiredLabel, subdomainIfSet } from "../check.js";
import { immutable } from "../immutable.js";
import { validateCsiDriverName } from "../storage/csi-driver-name.js";
import { validateAccessModes } from "./claim-validation.js";
import { positiveQuantity, quantityOrUndefined } from "./resource-validation.js";
import { validateNodeSelector } from "./scheduling-validation.js";
import { specDiff } from "./spec-diff.js";
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

type Spec = NonNullable<PersistentVolume["spec"]>;
type Sources = Omit<
  Spec,
  | "accessModes"
  | "capacity"
  | "claimRef"
  | "mountOptions"
  | "nodeAffinity"
  | "persistentVolumeReclaimPolicy"
  | "storageClassName"
  | "volumeAttributesClassName"
  | "volumeMode"
>;

interface Reference {
  readonly name?: string;
  readonly namespace?: string;
}

/** A reference to a Secret must name it and its namespace. */
function secretReference(reference: Reference | undefined, path: string): FieldError[] {
  if (!reference) return [];
  const { name = "", namespace = "" } = reference;
  return [
    ...(name ? objections(`${path}.name`, name, isDNS1123Subdomain(name)) : [required(`${path}.name`)]),
    ...requiredLabel(`${path}.namespace`, namespace),
  ];
}

/** The same where upstream only asks whether something is given. */
function namedReference(reference: Reference | undefined, path: string): FieldError[] {
  if (!reference) return [];
  return (["name", "namespace"] as const)
    .filter((field) => !reference[field])
    .map((field) => required(`${path}.${field}`));
}

const validateCsi: SourceCheck<NonNullable<Spec["csi"]>> = (csi, path) => {
  const faults = validateCsiDriverName(`${path}.driver`, csi.driver);
  if (!csi.volumeHandle) faults.push(required(`${path}.volumeHandle`));
  for (const field of [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
  ] as const) {
    faults.push(...secretReference(csi[field], `${path}.${field}`));
  }
  return faults;
};

const validateGlusterfs: SourceCheck<NonNullable<Spec["glusterfs"]>> = (source, path, context) => {
  const faults = requires<typeof source>("endpoints", "path")(source, path, context);
  const { endpointsNamespace: namespace } = source;
  if (namespace === undefined) return faults;
  const field = `${path}.endpointsNamespace`;
  const words = "if the endpointnamespace is set, it must be a valid namespace name";
  if (namespace === "") return [...faults, invalidValue(field, namespace, words)];
  return [...faults, ...objections(field, namespace, isDNS1123Label(namespace))];
};

const validateAzureFile: SourceCheck<NonNullable<Spec["azureFile"]>> = (source, path, context) => [
  ...requires<typeof source>("secretName", "shareName")(source, path, context),
  ...(source.secretNamespace === "" ? [required(`${path}.secretNamespace`)] : []),
];

const rules: SourceRules<Sources> = {
  hostPath: { check: validateHostPath },
  gcePersistentDisk: { check: validateDisk("pdName"), at: "persistentDisk" },
  awsElasticBlockStore: { check: validateDisk("volumeID") },
  glusterfs: { check: validateGlusterfs },
  flocker: { check: validateFlocker },
  nfs: { check: validateNfs },
  rbd: { check: requires("monitors", "image") },
  quobyte: { check: validateQuobyte },
  cephfs: { check: requires("monitors"), forbiddenAt: "cephFS" },
  iscsi: { check: validateIscsi("volume") },
  cinder: {
    check: (source, path, context) => [
      ...requires<typeof source>("volumeID")(source, path, context),
      ...namedReference(source.secretRef, `${path}.secretRef`),
    ],
  },
  fc: { check: validateFc },
  flexVolume: { check: validateFlexVolume },
  azureFile: { check: validateAzureFile },
  vsphereVolume: { check: requires("volumePath") },
  photonPersistentDisk: { check: requires("pdID") },
  portworxVolume: { check: requires("volumeID") },
  azureDisk: { check: validateAzureDisk },
  scaleIO: { check: requires("gateway", "system", "volumeName") },
  local: {
    check: ({ path: target }, path) => (target ? noBacksteps(`${path}.path`, target) : [required(`${path}.path`)]),
  },
  storageos: {
    check: (source, path, context) => [
      ...validateStorageos(source, path, context),
      ...namedReference(source.secretRef, `${path}.secretRef`),
    ],
  },
  csi: { check: validateCsi },
};

function validateCapacity(capacity: Spec["capacity"]): FieldError[] {
  const amounts = capacity ?? {};
  const names = Object.keys(amounts);
  const faults = names.length === 0 ? [required("spec.capacity")] : [];
  if (amounts.storage === undefined || names.length > 1) {
    const known = names.flatMap((name) => {
      const quantity = quantityOrUndefined(amounts[name]);
      return quantity ? [[name, quantity] as const] : [];
    });
    faults.push(notSupported("spec.capacity", goResourceList(capacity && new Map(known)), ["storage"]));
  }
  return [...faults, ...names.flatMap((name) => positiveQuantity(`spec.capacity[${name}]`, amounts[name]))];
}

function validateNodeAffinity(affinity: Spec["nodeAffinity"]): FieldError[] {
  if (!affinity) return [];
  const path = "spec.nodeAffinity.required";
  if (!affinity.required) return [required(path, "must specify required node constraints")];
  return validateNodeSelector(affinity.required, path);
}

/** A PersistentVolume as it is created. */
export function validatePersistentVolume({ spec = {}, metadata }: PersistentVolume): FieldError[] {
  const policy = spec.persistentVolumeReclaimPolicy;
  const faults = [
    ...validateAccessModes(spec.accessModes, "spec.accessModes", ""),
    ...validateCapacity(spec.capacity),
    ...(policy ? oneOfIfSet("spec.persistentVolumeReclaimPolicy", policy, ["Delete", "Recycle", "Retain"]) : []),
    ...validateNodeAffinity(spec.nodeAffinity),
    ...validateSources<Sources>(spec, rules, { path: "spec", volumeName: metadata.name }),
  ];
  if (spec.local && !spec.nodeAffinity) {
    faults.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
  }
  if (policy === "Recycle" && /^\/+$/.test(spec.hostPath?.path ?? "")) {
    const words = "may not be 'recycle' for a hostPath mount of '/'";
    faults.push(forbiddenField("spec.persistentVolumeReclaimPolicy", words));
  }
  faults.push(...subdomainIfSet("spec.storageClassName", spec.storageClassName));
  return [...faults, ...oneOfIfSet("spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"])];
}

function sourcesOf(spec: Spec | undefined): Sources {
  const known = Object.keys(rules);
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => known.includes(field)));
}

const gaLabels: { readonly [beta: string]: string } = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

/** The affinity with each key that is only the old one's GA name put back. */
function withOldKeys(now: Spec["nodeAffinity"], then: NonNullable<Spec["nodeAffinity"]>): Spec["nodeAffinity"] {
  const result = structuredClone(now);
  for (const [index, term] of (result?.required?.nodeSelectorTerms ?? []).entries()) {
    for (const [place, requirement] of (term.matchExpressions ?? []).entries()) {
      const old = then.required?.nodeSelectorTerms?.[index]?.matchExpressions?.[place]?.key;
      if (old !== undefined && gaLabels[old] === requirement.key) requirement.key = old;
    }
  }
  return result;
}

/** A change of a PersistentVolume: its source and mode stay, and its node affinity once it has one. */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const faults = validatePersistentVolume(volume);
  const [now, then] = [structuredClone(sourcesOf(volume.spec)), sourcesOf(old.spec)];
  if (now.csi && then.csi && !then.csi.controllerExpandSecretRef) delete now.csi.controllerExpandSecretRef;
  const diff = specDiff(then, now, "spec");
  if (diff) {
    const words = "spec.persistentvolumesource is immutable after creation";
    faults.push(forbiddenField("spec.persistentvolumesource", `${words}\n${diff}`));
  }
  // Upstream leaves spec out of both paths.
  faults.push(...immutable("volumeMode", volume.spec?.volumeMode, old.spec?.volumeMode));
  const affinity = old.spec?.nodeAffinity;
  if (affinity && !semanticDeepEqual(withOldKeys(volume.spec?.nodeAffinity, affinity), affinity)) {
    const words = "field is immutable, except for updating from beta label to GA";
    faults.push(invalidValue("nodeAffinity", volume.spec?.nodeAffinity, words));
  }
  return faults;
}
