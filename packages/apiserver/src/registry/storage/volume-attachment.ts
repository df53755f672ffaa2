// VolumeAttachments: the kind's declaration.

import { type VolumeAttachment, volumeattachments } from "@picokube/api/storage/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateVolumeAttachment, validateVolumeAttachmentUpdate } from "./volume-attachment-validation.js";

/** The definition of volumeattachments. */
export const volumeAttachmentDefinition = define<VolumeAttachment>({
  resource: volumeattachments,
  storagePrefix: "volumeattachments",
  hasStatus: true,
  hasGeneration: false,
  validate: validateVolumeAttachment,
  validateUpdate: validateVolumeAttachmentUpdate,
  validateStatusUpdate: validateVolumeAttachmentUpdate,
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  columns: [
    nameColumn,
    column("Attacher", ({ spec }) => spec?.attacher ?? "", { format: "name" }),
    column("PV", ({ spec }) => spec?.source?.persistentVolumeName ?? ""),
    column("Node", ({ spec }) => spec?.nodeName ?? ""),
    column("Attached", ({ status }) => status?.attached ?? false, { type: "boolean" }),
    ageColumn,
  ],
});
