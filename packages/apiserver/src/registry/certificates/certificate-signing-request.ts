// CertificateSigningRequests: the kind's declaration. Who may approve which signer's requests is admission's to say.

import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { humanDuration } from "@picokube/api/duration";
import { invalid } from "@picokube/api/errors";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateCertificateSigningRequest } from "./certificate-signing-request-validation.js";
import { validateApproval, validateSigning } from "./certificate-status-validation.js";

function condition({ status }: CertificateSigningRequest): string {
  const has = (wanted: string) => (status?.conditions ?? []).some(({ type }) => type === wanted);
  let words = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  if (has("Failed")) words += ",Failed";
  if (status?.certificate) words += ",Issued";
  return words;
}

const columns: Column<CertificateSigningRequest>[] = [
  nameColumn,
  ageColumn,
  column("SignerName", ({ spec }) => spec?.signerName || "<none>", {
    field: "certificates.v1.CertificateSigningRequestSpec.signerName",
  }),
  column("Requestor", ({ spec }) => spec?.username ?? "", {
    field: "certificates.v1.CertificateSigningRequestSpec.request",
  }),
  column(
    "RequestedDuration",
    ({ spec }) => (spec?.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000)),
    { field: "certificates.v1.CertificateSigningRequestSpec.expirationSeconds" },
  ),
  column("Condition", condition, { field: "certificates.v1.CertificateSigningRequestStatus.conditions" }),
];

/** The definition of certificatesigningrequests. */
export const certificateSigningRequestDefinition = define<CertificateSigningRequest>({
  resource: certificatesigningrequests,
  storagePrefix: "certificatesigningrequests",
  nameRule: "path-segment",
  hasStatus: true,
  hasGeneration: false,
  prepareForCreate(request, { user }) {
    if (!request.spec) return;
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = request.spec;
    request.spec = {
      ...asked,
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: [...user.groups],
      ...(user.extra
        ? { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }
        : {}),
    };
  },
  prepareForUpdate(request, old) {
    request.spec = structuredClone(old.spec);
  },
  validate: validateCertificateSigningRequest,
  validateStatusUpdate: validateSigning,
  selectableFields: { "spec.signerName": ({ spec }) => spec?.signerName ?? "" },
  columns,
  update: {
    approval(request, old, { now }) {
      const merged = structuredClone(old);
      const at = `${new Date(now()).toISOString().slice(0, 19)}Z`;
      const conditions = (request.status?.conditions ?? []).map((each) => ({
        ...each,
        lastUpdateTime: each.lastUpdateTime ?? at,
        lastTransitionTime: each.lastTransitionTime ?? at,
      }));
      merged.status = { ...merged.status, conditions };
      const faults = validateApproval(merged, old);
      if (faults.length > 0) throw invalid(certificatesigningrequests, old.metadata.name, faults);
      return merged;
    },
  },
});
