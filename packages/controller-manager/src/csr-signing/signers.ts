// The four built-in signers: which requests each one signs, and with whose key. Signs nothing.

import type { CertificateRequest } from "@picokube/pki/certificate-request";
import { kubeletClientFault, kubeletServingFault } from "../certificate-requests.js";
import type { ControllerManagerValues } from "../options.js";

export interface Signer {
  readonly name: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Why it will not sign the request; undefined when it will. */
  fault(request: CertificateRequest, usages: readonly string[]): string | undefined;
}

/** Those that the flags name a CA for (upstream: startCSRSigningController). */
export function signersOf(options: ControllerManagerValues): Signer[] {
  const { clusterSigningCertFile, clusterSigningKeyFile } = options;
  const signer = (name: string, files: [cert: string | undefined, key: string | undefined], fault: Signer["fault"]) => {
    const [certFile = clusterSigningCertFile, keyFile = clusterSigningKeyFile] = files.map((file) => file || undefined);
    return certFile && keyFile ? [{ name: `kubernetes.io/${name}`, certFile, keyFile, fault }] : [];
  };
  return [
    ...signer(
      "kubelet-serving",
      [options.clusterSigningKubeletServingCertFile, options.clusterSigningKubeletServingKeyFile],
      kubeletServingFault,
    ),
    ...signer(
      "kube-apiserver-client-kubelet",
      [options.clusterSigningKubeletClientCertFile, options.clusterSigningKubeletClientKeyFile],
      kubeletClientFault,
    ),
    ...signer(
      "kube-apiserver-client",
      [options.clusterSigningKubeApiserverClientCertFile, options.clusterSigningKubeApiserverClientKeyFile],
      (_request, usages) => clientUsagesFault(usages),
    ),
    ...signer(
      "legacy-unknown",
      [options.clusterSigningLegacyUnknownCertFile, options.clusterSigningLegacyUnknownKeyFile],
      () => undefined,
    ),
  ];
}

/** Upstream: validAPIServerClientUsages. */
function clientUsagesFault(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => !["digital signature", "key encipherment", "client auth"].includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}
