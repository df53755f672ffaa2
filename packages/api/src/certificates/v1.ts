// Group "certificates.k8s.io" version v1: the types and names of its kinds.

import type { ICertificateSigningRequest } from "kubernetes-models/certificates.k8s.io/v1/CertificateSigningRequest";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type CertificateSigningRequest = Kind<ICertificateSigningRequest>;
export const certificatesigningrequests: Resource<CertificateSigningRequest> = {
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  resource: "certificatesigningrequests",
  singular: "certificatesigningrequest",
  namespaced: false,
  shortNames: ["csr"],
  categories: [],
};
