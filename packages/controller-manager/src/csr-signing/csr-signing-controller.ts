// Signs what is approved, with the CA of the signer that is asked.
// Watches: CertificateSigningRequests. Writes: their status.

import { readFileSync } from "node:fs";
import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { isConflict, isNotFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import { hasCondition, isApproved, requestOf } from "../certificate-requests.js";
import type { Dependencies } from "../dependencies.js";
import { type Signer, signersOf } from "./signers.js";

const MIN_LIFETIME_MS = 10 * 60 * 1000;

/** Upstream's certificatesigningrequest-signing-controller; undefined when no flag names a CA. */
export function csrSigningController({
  client,
  informers,
  clock,
  logger,
  options,
}: Dependencies): Controller | undefined {
  const signers = new Map(signersOf(options).map((signer) => [signer.name, signer]));
  if (signers.size === 0) return undefined;
  const informer = informers.for(certificatesigningrequests);

  async function reconcile(name: ObjectKey): Promise<void> {
    const csr = informer.get(name);
    if (!csr || csr.status?.certificate || !isApproved(csr) || hasCondition(csr, "Failed")) return;
    const signer = signers.get(csr.spec.signerName);
    if (!signer) return;
    const status = await signedStatus(csr, signer);
    try {
      await client.update(certificatesigningrequests, { ...csr, status }, { subresource: "status" });
      logger.info("Signed or refused a certificate request", { csr: name, signer: signer.name });
    } catch (error) {
      // Somebody changed it meanwhile: that change comes back here.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async function signedStatus(
    csr: CertificateSigningRequest,
    signer: Signer,
  ): Promise<CertificateSigningRequest["status"]> {
    // The x509 library is loaded by the first request: most clusters see few.
    const { parseCertificateRequest, signCertificateRequest } = await import("@picokube/pki/certificate-request");
    const request = requestOf(csr);
    const usages = csr.spec.usages ?? [];
    const fault = signer.fault(parseCertificateRequest(request), usages);
    if (fault !== undefined) return withFailure(csr, { message: fault, nowMs: clock.now() });
    const ca = { cert: readFileSync(signer.certFile, "utf8"), key: readFileSync(signer.keyFile, "utf8") };
    const lifetimeMs = lifetimeOf(csr, options.clusterSigningDuration);
    const certificate = await signCertificateRequest({ request, ca, usages, lifetimeMs, nowMs: clock.now() });
    return { ...csr.status, certificate: Buffer.from(certificate).toString("base64") };
  }

  return { name: "certificatesigningrequest-signing-controller", watches: [self(informer)], reconcile };
}

/** What is asked for, within the signer's longest and ten minutes (upstream: signer.duration). */
function lifetimeOf({ spec }: CertificateSigningRequest, longestMs: number): number {
  if (spec.expirationSeconds === undefined) return longestMs;
  return Math.min(Math.max(spec.expirationSeconds * 1000, MIN_LIFETIME_MS), longestMs);
}

function withFailure(
  { status }: CertificateSigningRequest,
  { message, nowMs }: { message: string; nowMs: number },
): CertificateSigningRequest["status"] {
  const failed = { type: "Failed", status: "True", reason: "SignerValidationFailure", message };
  const lastUpdateTime = formatTime(nowMs);
  return { ...status, conditions: [...(status?.conditions ?? []), { ...failed, lastUpdateTime }] };
}
