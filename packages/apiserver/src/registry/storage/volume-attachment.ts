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
    column("Attacher", ({ spec }) => spec?.attacher ?? "", {
      format: "name",
      field: "storage.v1.VolumeAttachmentSpec.attacher",
    }),
    column("PV", ({ spec }) => spec?.source?.persistentVolumeName ?? "", {
      field: "storage.v1.VolumeAttachmentSource.persistentVolumeName",
    }),
    column("Node", ({ spec }) => spec?.nodeName ?? "", { field: "storage.v1.VolumeAttachmentSpec.nodeName" }),
    column("Attached", ({ status }) => status?.attached ?? false, {
      type: "boolean",
      field: "storage.v1.VolumeAttachmentStatus.attached",
    }),
    ageColumn,
  ],
});
