// What valid PersistentVolumeClaims are, in upstream's words (upstream: ValidatePersistentVolumeClaim,
// ValidatePersistentVolumeClaimUpdate). Pure.

import type { PersistentVolumeClaim } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections, oneOfIfSet, subdomainIfSet } from "../check.js";
import { immutable } from "../immutable.js";
import { validateLabelSelector } from "../label-validation.js";
import { positiveQuantity, quantityOrUndefined } from "./resource-validation.js";
import { specDiff } from "./spec-diff.js";

type ClaimSpec = NonNullable<PersistentVolumeClaim["spec"]>;

/** The modes in which a volume may be mounted. */
const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/** Access modes, of a volume or of a claim; whyRequired stands beside "Required value". */
export function validateAccessModes(
  modes: readonly string[] | undefined,
  path: string,
  whyRequired: string,
): FieldError[] {
  const list = modes ?? [];
  const faults = list
    .filter((mode) => !accessModes.includes(mode))
    .map((mode) => notSupported(path, mode, accessModes));
  if (list.includes("ReadWriteOncePod") && list.some((mode) => accessModes.slice(0, 3).includes(mode))) {
    faults.push(forbiddenField(path, "may not use ReadWriteOncePod with other access modes"));
  }
  return list.length === 0 ? [required(path, whyRequired)] : faults;
}

interface DataSource {
  readonly apiGroup?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

function validateDataSource(source: DataSource, path: string): FieldError[] {
  const { apiGroup = "", kind = "", name, namespace } = source;
  const faults = [...(name ? [] : [required(`${path}.name`)]), ...(kind ? [] : [required(`${path}.kind`)])];
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    const words = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    faults.push(invalidValue(path, kind, words));
  }
  if (apiGroup !== "") faults.push(...objections(`${path}.apiGroup`, apiGroup, isDNS1123Subdomain(apiGroup)));
  return namespace ? [...faults, ...objections(`${path}.namespace`, namespace, isDNS1123Label(namespace))] : faults;
}

function validateDataSources({ dataSource, dataSourceRef }: ClaimSpec, path: string): FieldError[] {
  const faults = dataSource ? validateDataSource(dataSource, `${path}.dataSource`) : [];
  if (dataSourceRef) faults.push(...validateDataSource(dataSourceRef, `${path}.dataSourceRef`));
  if (!dataSource || !dataSourceRef) return faults;
  const same = ({ apiGroup, kind, name }: DataSource) => ({ apiGroup, kind, name });
  if (dataSourceRef.namespace) {
    const words = "may not be specified when dataSourceRef.namespace is specified";
    faults.push(invalidValue(path, `${path}.dataSource`, words));
  } else if (!semanticDeepEqual(same(dataSource), same(dataSourceRef))) {
    faults.push(invalidValue(path, `${path}.dataSource`, "must match dataSourceRef"));
  }
  return faults;
}

/** A claim's spec, also in a template, at a path such as "spec". */
export function validateClaimSpec(given: ClaimSpec | undefined, path: string): FieldError[] {
  const spec = given ?? {};
  const storage = spec.resources?.requests?.storage;
  const field = `${path}.resources[storage]`;
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, "at least 1 access mode is required"),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...(storage === undefined ? [required(field)] : positiveQuantity(field, storage)),
    ...subdomainIfSet(`${path}.storageClassName`, spec.storageClassName),
    ...oneOfIfSet(`${path}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]),
    ...validateDataSources(spec, path),
  ];
}

/** A PersistentVolumeClaim as it is created. */
export function validatePersistentVolumeClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(spec, "spec");
}

const betaClass = "volume.beta.kubernetes.io/storage-class";

/** The class moves from the old annotation to its field (upstream: validateStorageClassUpgradeFromAnnotation). */
function isClassUpgrade(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const before = old.metadata.annotations?.[betaClass];
  const after = claim.metadata.annotations?.[betaClass] ?? before;
  const isNew = old.spec?.storageClassName === undefined && claim.spec?.storageClassName === before;
  return before !== undefined && isNew && after === before;
}

/** Both specs, with all made the same that may change: binding once, the class once, the size of a bound claim. */
function comparable(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): { now: ClaimSpec; then: ClaimSpec } {
  const now = structuredClone(claim.spec ?? {});
  const then = structuredClone(old.spec ?? {});
  if (!then.volumeName && now.volumeName) then.volumeName = now.volumeName;
  const beta = old.metadata.annotations?.[betaClass];
  const isFirstClass = then.storageClassName === undefined && now.storageClassName !== undefined;
  if (isFirstClass && (beta === undefined || now.storageClassName === beta)) delete now.storageClassName;
  if (claim.status?.phase === "Bound" && now.resources?.requests) {
    const size = then.resources?.requests?.storage;
    if (size === undefined) delete now.resources.requests.storage;
    else now.resources.requests.storage = size;
  }
  return { now, then };
}

/** A change of a claim: binding and, once bound, its size. */
export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const faults = validatePersistentVolumeClaim(claim);
  const annotation = claim.metadata.annotations?.[betaClass] ?? "";
  if (!isClassUpgrade(claim, old)) {
    const before = old.metadata.annotations?.[betaClass] ?? "";
    faults.push(...immutable(`metadata.annotations.${betaClass}`, annotation, before));
  }
  const { now, then } = comparable(claim, old);
  const diff = specDiff(then, now, "spec");
  if (diff) {
    const words =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    faults.push(forbiddenField("spec", `${words}\n${diff}`));
  }
  const size = (of: string | number | undefined) => quantityOrUndefined(of ?? "0");
  const after = size(claim.spec?.resources?.requests?.storage);
  const before = size(old.spec?.resources?.requests?.storage);
  const capacity = size(old.status?.capacity?.storage);
  if (after && before && capacity && after.compare(before) < 0 && after.compare(capacity) <= 0) {
    faults.push(forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  // Upstream leaves spec out of the path.
  return [...faults, ...immutable("volumeMode", claim.spec?.volumeMode, old.spec?.volumeMode)];
}
