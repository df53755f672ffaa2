// What a valid VolumeAttachment is, in upstream's words (upstream: ValidateVolumeAttachment). Pure.

import type { VolumeAttachment } from "@picokube/api/storage/v1";
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "@picokube/api/validation/field-error";
import { inclusiveRangeError, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { immutable } from "../immutable.js";
import { validateCsiDriverName } from "./csi-driver-name.js";

type Spec = NonNullable<VolumeAttachment["spec"]>;
type Status = NonNullable<VolumeAttachment["status"]>;

const maxMetadataBytes = 256 * 1024;
const maxErrorMessageBytes = 1024;
const maxInt32 = 2147483647;

function validateSource(source: Spec["source"] | undefined, path: string): FieldError[] {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source ?? {};
  const words = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (!inline && name === undefined) return [required(path, words)];
  if (inline && name !== undefined) return [forbiddenField(path, words)];
  const empty = "must specify non empty persistentVolumeName";
  return name === "" ? [required(`${path}.persistentVolumeName`, empty)] : [];
}

function validateError(error: Status["attachError"], path: string): FieldError[] {
  const { message = "", errorCode } = (error ?? {}) as { message?: string; errorCode?: number };
  return [
    // The limit that upstream names here is not the one it checks.
    ...(Buffer.byteLength(message) > maxErrorMessageBytes ? [tooLong(`${path}.message`, maxMetadataBytes)] : []),
    ...(errorCode !== undefined && errorCode < 0
      ? [invalidValue(`${path}.errorCode`, errorCode, inclusiveRangeError(0, maxInt32))]
      : []),
  ];
}

function validateStatus(status: VolumeAttachment["status"]): FieldError[] {
  const sizeBytes = Object.entries(status?.attachmentMetadata ?? {}).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  return [
    ...(sizeBytes > maxMetadataBytes ? [tooLong("status.attachmentMetadata", maxMetadataBytes)] : []),
    ...validateError(status?.attachError, "status.attachError"),
    ...validateError(status?.detachError, "status.detachError"),
  ];
}

function validateInternal({ spec = {} as Spec, status }: VolumeAttachment): FieldError[] {
  const { attacher, source, nodeName = "" } = spec;
  return [
    ...(attacher ? [] : [required("spec.attacher")]),
    ...validateSource(source, "spec.source"),
    ...objections("spec.nodeName", nodeName, isDNS1123Subdomain(nodeName)),
    ...validateStatus(status),
  ];
}

/** A VolumeAttachment as it is created. */
export function validateVolumeAttachment(attachment: VolumeAttachment): FieldError[] {
  const name = attachment.spec?.source?.persistentVolumeName;
  const path = "spec.source.persistentVolumeName";
  return [
    ...validateInternal(attachment),
    ...validateCsiDriverName("spec.attacher", attachment.spec?.attacher),
    ...(name === undefined ? [] : objections(path, name, isDNS1123Subdomain(name))),
  ];
}

/** A change of a VolumeAttachment or of its status: the spec stays. */
export function validateVolumeAttachmentUpdate(attachment: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  return [...validateInternal(attachment), ...immutable("spec", attachment.spec, old.spec)];
}
