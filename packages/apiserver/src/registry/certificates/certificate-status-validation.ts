// What may be written to a CertificateSigningRequest's conditions and certificate, in upstream's words (upstream:
// ValidateCertificateSigningRequestStatusUpdate and -ApprovalUpdate). Pure.

import { X509Certificate } from "node:crypto";
import type { CertificateSigningRequest } from "@picokube/api/certificates/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";

type Condition = NonNullable<NonNullable<CertificateSigningRequest["status"]>["conditions"]>[number];

const path = "status.conditions";
const onlyTrue = ["Approved", "Denied", "Failed"];
const exclusive = ["Approved", "Denied"];

const conditionsOf = ({ status }: CertificateSigningRequest): readonly Condition[] => status?.conditions ?? [];
const typesOf = (request: CertificateSigningRequest): string[] => conditionsOf(request).map(({ type }) => type);

/** What the stored request already breaks is not asked of the new one. */
function validateConditions(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const before = typesOf(old);
  const mayBeBoth = exclusive.every((type) => before.includes(type));
  const mayRepeat = new Set(before).size < before.length;
  const seen = new Set<string>();
  return conditionsOf(request).flatMap(({ type = "", status = "" }, index) => {
    const at = `${path}[${index}]`;
    const faults = type === "" && !before.includes("") ? [required(`${at}.type`)] : [];
    const statuses = onlyTrue.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    if (!status) faults.push(required(`${at}.status`));
    else if (!statuses.includes(status)) faults.push(notSupported(`${at}.status`, status, statuses));
    const other = exclusive.find((each) => each !== type);
    if (!mayBeBoth && exclusive.includes(type) && seen.has(other!)) {
      faults.push(invalidValue(`${at}.type`, type, "Approved and Denied conditions are mutually exclusive"));
    }
    if (!mayRepeat && seen.has(type)) faults.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return faults;
  });
}

/** The objection to a certificate chain, if any. */
function certificateObjection(certificate: string): string | undefined {
  const pem = Buffer.from(certificate, "base64").toString("latin1");
  if (pem === "") return undefined;
  const blocks = [...pem.matchAll(/-----BEGIN ([^\r\n]*?)-----\r?\n([\s\S]*?)-----END \1-----/g)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [text, type, body] of blocks) {
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body?.includes(":")) return "no PEM block headers are permitted";
    try {
      new X509Certificate(text);
    } catch {
      return "x509: malformed certificate";
    }
  }
  return undefined;
}

function removed(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const count = (each: CertificateSigningRequest, type: string) => typesOf(each).filter((t) => t === type).length;
  return onlyTrue
    .filter((type) => count(request, type) < count(old, type))
    .map((type) => forbiddenField(path, `updates may not remove a condition of type ${JSON.stringify(type)}`));
}

/** What approvers may write: conditions, but none of the deciding ones is taken back. */
export function validateApproval(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return [...validateConditions(request, old), ...removed(request, old)];
}

/** What signers may write: the certificate, once, and conditions but for those of approvers. */
export function validateSigning(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const certificate = request.status?.certificate ?? "";
  const before = old.status?.certificate ?? "";
  const faults = validateConditions(request, old);
  const why = certificate === before ? undefined : certificateObjection(certificate);
  if (why) faults.push(invalidValue("status.certificate", "<certificate data>", why));
  faults.push(...removed(request, old));
  for (const type of exclusive) {
    const next = conditionsOf(request).filter((condition) => condition.type === type);
    const stored = conditionsOf(old).filter((condition) => condition.type === type);
    const shown = JSON.stringify(type);
    if (next.length > stored.length)
      faults.push(forbiddenField(path, `updates may not add a condition of type ${shown}`));
    else if (next.length === stored.length && !semanticDeepEqual(next, stored)) {
      faults.push(forbiddenField(path, `updates may not modify a condition of type ${shown}`));
    }
  }
  if (certificate !== before && before !== "") {
    faults.push(forbiddenField("status.certificate", "updates may not modify existing certificate content"));
  }
  return faults;
}
