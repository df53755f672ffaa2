// What a valid CertificateSigningRequest is, in upstream's words (upstream: ValidateCertificateSigningRequestCreate). Pure.
// Whether the request's signature holds is for whoever signs it.

import type { CertificateSigningRequest } from "@picokube/api/certificates/v1";
import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "@picokube/api/validation/field-error";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";

const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
const legacySigner = "kubernetes.io/legacy-unknown";
const maxSubdomainBytes = 253;
/** A domain, a slash, and a path that holds a label, a dot and a subdomain. */
const maxSignerBytes = 253 + 1 + 253 + 63 + 1;

const block = /-----BEGIN ([^\r\n]*?)-----\r?\n([A-Za-z0-9+/=\s]*)-----END \1-----/;

function validateRequest(request: string): FieldError[] {
  const pem = block.exec(Buffer.from(request, "base64").toString("latin1"));
  if (pem?.[1] !== "CERTIFICATE REQUEST") {
    return [invalidValue("spec.request", request, "PEM block type must be CERTIFICATE REQUEST")];
  }
  // DER of a request is a SEQUENCE; what it holds is parsed by whoever signs.
  const der = Buffer.from(pem[2]!, "base64");
  return der[0] === 0x30 ? [] : [invalidValue("spec.request", request, "x509: malformed certificate request")];
}

function validateUsages(given: readonly string[]): FieldError[] {
  const faults = given.length === 0 ? [required("spec.usages")] : [];
  for (const [index, usage] of given.entries()) {
    if (!usages.includes(usage)) faults.push(notSupported(`spec.usages[${index}]`, usage, usages));
  }
  for (const [index, usage] of given.entries()) {
    if (given.indexOf(usage) < index) faults.push(duplicate(`spec.usages[${index}]`, usage));
  }
  return faults;
}

/** Upstream stops at the first label with a fault. */
function validateLabels(part: string, path: string, check: (label: string) => string[]): FieldError[] {
  const bad = part.split(".").find((label) => check(label).length > 0);
  if (bad === undefined) return [];
  return check(bad).map((why) => invalidValue(path, part, `validating label ${JSON.stringify(bad)}: ${why}`));
}

/** A signer's name, such as example.com/signer (upstream: ValidateSignerName). */
export function validateSignerName(name: string, path: string): FieldError[] {
  if (name === "") return [required(path)];
  const parts = name.split("/");
  const [domain = "", signer = ""] = parts;
  if (parts.length !== 2) {
    const words = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalidValue(path, name, words)];
  }
  const faults = Buffer.byteLength(domain) > maxSubdomainBytes ? [tooLong(path, maxSubdomainBytes)] : [];
  faults.push(...validateLabels(domain, path, isDNS1123Label));
  if (!domain.includes(".")) {
    faults.push(invalidValue(path, domain, "should be a domain with at least two segments separated by dots"));
  }
  faults.push(...validateLabels(signer, path, isDNS1123Subdomain));
  return Buffer.byteLength(name) > maxSignerBytes ? [...faults, tooLong(path, maxSignerBytes)] : faults;
}

/** A request as it is created. */
export function validateCertificateSigningRequest({ spec }: CertificateSigningRequest): FieldError[] {
  const faults = [...validateRequest(spec?.request ?? ""), ...validateUsages(spec?.usages ?? [])];
  const signer = spec?.signerName ?? "";
  if (signer === legacySigner) {
    const words = "the legacy signerName is not allowed via this API version";
    faults.push(invalidValue("spec.signerName", signer, words));
  } else faults.push(...validateSignerName(signer, "spec.signerName"));
  const seconds = spec?.expirationSeconds;
  if (seconds !== undefined && seconds < 600) {
    const words = "may not specify a duration less than 600 seconds (10 minutes)";
    faults.push(invalidValue("spec.expirationSeconds", seconds, words));
  }
  return faults;
}
