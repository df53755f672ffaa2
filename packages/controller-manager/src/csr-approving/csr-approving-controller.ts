// Approves the requests of kubelets for client certificates, where RBAC lets them have one.
// Watches: CertificateSigningRequests. Writes: their approval; asks by SubjectAccessReviews.

import { type SubjectAccessReview, subjectaccessreviews } from "@picokube/api/authorization/v1";
import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { isConflict, isNotFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import type { CertificateRequest } from "@picokube/pki/certificate-request";
import { hasCondition, kubeletClientFault, requestOf } from "../certificate-requests.js";
import type { Dependencies } from "../dependencies.js";

const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

/** What is recognised, the right that it takes, and what an approval says (upstream: sarapprove.go). */
const RECOGNIZERS = [
  {
    subresource: "selfnodeclient",
    fits: (csr: CertificateSigningRequest, { commonName }: CertificateRequest) => csr.spec.username === commonName,
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
  },
  {
    subresource: "nodeclient",
    fits: () => true,
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
  },
];

/** Upstream's certificatesigningrequest-approving-controller. */
export function csrApprovingController({ client, informers, clock, logger }: Dependencies): Controller {
  const informer = informers.for(certificatesigningrequests);

  async function reconcile(name: ObjectKey): Promise<void> {
    const csr = informer.get(name);
    if (!csr || csr.status?.certificate || hasCondition(csr, "Approved") || hasCondition(csr, "Denied")) return;
    if (csr.spec.signerName !== SIGNER) return;
    // The x509 library is loaded by the first request: most clusters see few.
    const { parseCertificateRequest } = await import("@picokube/pki/certificate-request");
    const request = parseCertificateRequest(requestOf(csr));
    if (kubeletClientFault(request, csr.spec.usages ?? []) !== undefined) return;
    for (const { subresource, fits, message } of RECOGNIZERS) {
      if (!fits(csr, request) || !(await isAllowed(csr, subresource))) continue;
      return approve(csr, message);
    }
    throw new Error(`recognized csr "${name}" as a kubelet's but subject access review was not approved`);
  }

  async function isAllowed({ spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
    const { username = "", uid, groups = [], extra } = spec;
    const group = "certificates.k8s.io";
    const resourceAttributes = {
      group,
      resource: "certificatesigningrequests",
      verb: "create",
      version: "*",
      subresource,
    };
    const review = await client.create(subjectaccessreviews, {
      spec: { user: username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}), resourceAttributes },
    } as SubjectAccessReview);
    return review.status?.allowed === true;
  }

  async function approve(csr: CertificateSigningRequest, message: string): Promise<void> {
    const now = formatTime(clock.now());
    const condition = { type: "Approved", status: "True", reason: "AutoApproved", message, lastUpdateTime: now };
    const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
    try {
      await client.update(certificatesigningrequests, { ...csr, status }, { subresource: "approval" });
      logger.info("Approved a kubelet's certificate request", { csr: csr.metadata.name, user: csr.spec.username });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  return { name: "certificatesigningrequest-approving-controller", watches: [self(informer)], reconcile };
}
