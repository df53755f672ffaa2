// PersistentVolumeClaimResize: a claim grows only when it is bound and its class lets volumes grow.

import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { Quantity } from "@picokube/api/quantity";
import { storageclasses } from "@picokube/api/storage/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

const LEGACY_CLASS = "volume.beta.kubernetes.io/storage-class";

function sizeOf({ spec }: PersistentVolumeClaim): Quantity {
  return Quantity.parse(spec?.resources?.requests?.storage ?? "0");
}

const classOf = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[LEGACY_CLASS] ?? spec?.storageClassName ?? "";

export function persistentVolumeClaimResize(storage: StorageRegistry): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    validate(attributes) {
      if (attributes.operation !== "UPDATE" || !concerns(attributes, persistentvolumeclaims)) return;
      const claim = attributes.object as PersistentVolumeClaim;
      const old = attributes.oldObject as PersistentVolumeClaim;
      if (sizeOf(claim).compare(sizeOf(old)) <= 0) return;
      if (old.status?.phase !== "Bound") {
        throw admissionForbidden(attributes, "Only bound persistent volume claims can be expanded");
      }
      const name = classOf(claim);
      const mayGrow =
        name !== "" &&
        name === classOf(old) &&
        storage.for(storageclasses).get("", name)?.allowVolumeExpansion === true;
      if (mayGrow) return;
      throw admissionForbidden(
        attributes,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  };
}
