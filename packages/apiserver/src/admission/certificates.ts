// CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may approve and sign for which signer,
// and that nobody asks for a certificate of system:masters.

import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import type { UserInfo } from "../authn/authenticator.js";
import type { Authorizer } from "../authz/authorizer.js";
import type { AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

/** Whether the user may act for the signer, by its whole name or by its domain's star. */
export async function isAuthorizedForSigner(
  authorizer: Authorizer,
  { user, verb, signerName }: { user: UserInfo; verb: string; signerName: string },
): Promise<boolean> {
  const [domain = ""] = signerName.split("/");
  for (const name of [signerName, `${domain}/*`]) {
    const resource = {
      group: "certificates.k8s.io",
      version: "*",
      resource: "signers",
      subresource: "",
      namespace: "",
      name,
    };
    const { decision } = await authorizer.authorize({ user, verb, path: "", resource });
    if (decision === "Allow") return true;
  }
  return false;
}

function signerPlugin(
  options: { name: string; subresource: string; verb: string; word: string },
  authorizer: Authorizer,
) {
  const plugin: AdmissionPlugin = {
    name: options.name,
    async validate(attributes) {
      if (attributes.operation !== "UPDATE") return;
      if (!concerns(attributes, certificatesigningrequests, [options.subresource])) return;
      const old = attributes.oldObject as CertificateSigningRequest | undefined;
      const request = attributes.object as CertificateSigningRequest;
      if (options.subresource === "status" && request.status?.certificate === old?.status?.certificate) return;
      const signerName = old?.spec?.signerName ?? "";
      if (await isAuthorizedForSigner(authorizer, { user: attributes.user, verb: options.verb, signerName })) return;
      throw admissionForbidden(
        attributes,
        `user not permitted to ${options.word} requests with signerName "${signerName}"`,
      );
    },
  };
  return plugin;
}

/** Approving needs the verb approve on the signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return signerPlugin(
    { name: "CertificateApproval", subresource: "approval", verb: "approve", word: "approve" },
    authorizer,
  );
}

/** Putting a certificate into the status needs the verb sign on the signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return signerPlugin({ name: "CertificateSigning", subresource: "status", verb: "sign", word: "sign" }, authorizer);
}

/** The organizations that a PEM request, itself in base64, asks for; none when it cannot be read. */
export async function requestedOrganizations(request: string): Promise<string[]> {
  const pem = Buffer.from(request, "base64").toString("utf8");
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]+?)-----END/.exec(pem)?.[1];
  if (body === undefined) return [];
  // Loaded when the first such request comes: the library is large, and few clusters see one.
  await import("reflect-metadata");
  const { Pkcs10CertificateRequest } = await import("@peculiar/x509");
  try {
    return new Pkcs10CertificateRequest(body.replace(/\s+/g, "")).subjectName.getField("O");
  } catch {
    return [];
  }
}

/** Refuses client certificates of group system:masters. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: "CertificateSubjectRestriction",
    async validate(attributes) {
      if (attributes.operation !== "CREATE" || !concerns(attributes, certificatesigningrequests)) return;
      const { spec } = attributes.object as CertificateSigningRequest;
      if (spec?.signerName !== CLIENT_SIGNER) return;
      if (!(await requestedOrganizations(String(spec.request ?? ""))).includes(MASTERS)) return;
      throw admissionForbidden(attributes, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`);
    },
  };
}
