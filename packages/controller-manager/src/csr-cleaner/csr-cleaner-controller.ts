// Deletes certificate requests that nobody needs any more.
// Watches: CertificateSigningRequests. Writes: deletes them.

import { X509Certificate } from "node:crypto";
import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { isNotFound } from "@picokube/api/errors";
import { parseTime } from "@picokube/api/time";
import type { Controller, Result } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";

const HOUR_MS = 60 * 60 * 1000;
/** How long a request is kept after its last word. */
const KEPT_MS = { Approved: HOUR_MS, Denied: HOUR_MS, Failed: HOUR_MS, Pending: 24 * HOUR_MS } as const;

/** Upstream's certificatesigningrequest-cleaner-controller. */
export function csrCleanerController({ client, informers, clock, logger }: Dependencies): Controller {
  const informer = informers.for(certificatesigningrequests);

  async function reconcile(name: ObjectKey): Promise<Result> {
    const csr = informer.get(name);
    if (!csr) return;
    const leftMs = lifeLeftMs(csr, clock.now());
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    logger.info("Cleaning up a certificate request", { csr: name });
    const { uid } = csr.metadata;
    try {
      await client.delete(certificatesigningrequests, { name }, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  return { name: "certificatesigningrequest-cleaner-controller", watches: [self(informer)], reconcile };
}

/** Milliseconds until the request is to go; 0 or less: now (upstream: csrCleanerController.handle). */
export function lifeLeftMs({ metadata, status }: CertificateSigningRequest, nowMs: number): number {
  const conditions = status?.conditions ?? [];
  const certificate = status?.certificate;
  const ends = conditions.flatMap(({ type, lastUpdateTime }) => {
    const keptMs = KEPT_MS[type as keyof typeof KEPT_MS];
    return keptMs === undefined ? [] : [(parseTime(lastUpdateTime ?? "") ?? nowMs) + keptMs];
  });
  if (conditions.length === 0) ends.push((parseTime(metadata.creationTimestamp ?? "") ?? nowMs) + KEPT_MS.Pending);
  if (certificate) ends.push(expiryMs(certificate));
  return Math.min(...ends) - nowMs;
}

/** When an issued certificate ends; never for one that cannot be read. */
function expiryMs(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, "base64")).validTo);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
