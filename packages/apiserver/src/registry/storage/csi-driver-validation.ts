// What a valid CSIDriver is, in upstream's words (upstream: ValidateCSIDriver). Pure.

import type { CSIDriver } from "@picokube/api/storage/v1";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { oneOfIfSet } from "../check.js";
import { immutable } from "../immutable.js";

type Spec = NonNullable<CSIDriver["spec"]>;

function validateTokenRequests(requests: Spec["tokenRequests"], path: string): FieldError[] {
  const audiences = new Set<string>();
  return (requests ?? []).flatMap(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${path}[${index}]`;
    if (audiences.has(audience)) return [duplicate(`${at}.audience`, audience)];
    audiences.add(audience);
    if (seconds === undefined) return [];
    if (seconds < 600) {
      return [invalidValue(`${at}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes")];
    }
    const words = "may not specify a duration larger than 2^32 seconds";
    return seconds > 2 ** 32 ? [invalidValue(`${at}.expirationSeconds`, seconds, words)] : [];
  });
}

/** A CSIDriver as it is created. */
export function validateCsiDriver({ spec = {} }: CSIDriver): FieldError[] {
  // Upstream's path is not the field's name.
  const faults = spec.attachRequired === undefined ? [required("spec.attachedRequired")] : [];
  for (const field of ["podInfoOnMount", "storageCapacity"] as const) {
    if (spec[field] === undefined) faults.push(required(`spec.${field}`));
  }
  faults.push(
    ...oneOfIfSet("spec.fsGroupPolicy", spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]),
    ...validateTokenRequests(spec.tokenRequests, "spec.tokenRequests"),
  );
  const modes = ["Persistent", "Ephemeral"];
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!modes.includes(mode)) faults.push(notSupported("spec.volumeLifecycleModes", mode, modes));
  }
  if (spec.seLinuxMount === undefined) faults.push(required("spec.seLinuxMount"));
  return faults;
}

/** A change of a CSIDriver: how it attaches and lives stays. */
export function validateCsiDriverUpdate(driver: CSIDriver, old: CSIDriver): FieldError[] {
  return [
    ...validateCsiDriver(driver),
    ...immutable("spec.attachedRequired", driver.spec?.attachRequired, old.spec?.attachRequired),
    ...immutable("spec.volumeLifecycleModes", driver.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes),
  ];
}
