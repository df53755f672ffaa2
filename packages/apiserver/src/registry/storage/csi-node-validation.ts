// What a valid CSINode is, in upstream's words (upstream: ValidateCSINode). Pure.

import type { CSINode } from "@picokube/api/storage/v1";
import { duplicate, type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { nonnegative, objections } from "../check.js";
import { immutable } from "../immutable.js";
import { validateCsiDriverName } from "./csi-driver-name.js";

type Driver = NonNullable<CSINode["spec"]>["drivers"][number];

const maxNodeIdLength = 256;

function validateDriver(driver: Driver, path: string): FieldError[] {
  const { name, nodeID = "", allocatable, topologyKeys } = driver;
  const faults = validateCsiDriverName(`${path}.name`, name);
  if (nodeID === "") faults.push(required(`${path}.nodeID`));
  if (Buffer.byteLength(nodeID) > maxNodeIdLength) {
    faults.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${maxNodeIdLength} characters or less`));
  }
  faults.push(...nonnegative(`${path}.allocatable.count`, allocatable?.count));
  const keys = new Set<string>();
  for (const key of topologyKeys ?? []) {
    if (key === "") faults.push(required(path));
    if (keys.has(key)) faults.push(duplicate(path, key));
    keys.add(key);
    faults.push(...objections(path, key, isQualifiedName(key)));
  }
  return faults;
}

/** A CSINode as it is created. */
export function validateCsiNode({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return (spec?.drivers ?? []).flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`;
    const faults = validateDriver(driver, path);
    if (names.has(driver.name)) faults.push(duplicate(`${path}.name`, driver.name));
    names.add(driver.name);
    return faults;
  });
}

/** A change of a CSINode: drivers come and go, but do not change. */
export function validateCsiNodeUpdate(node: CSINode, old: CSINode): FieldError[] {
  const faults = validateCsiNode(node);
  for (const before of old.spec?.drivers ?? []) {
    for (const driver of node.spec?.drivers ?? []) {
      if (driver.name === before.name) faults.push(...immutable("spec.drivers", driver, before));
    }
  }
  return faults;
}
