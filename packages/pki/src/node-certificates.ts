// The certificates of a worker that the cluster's own CA equips directly (a local VM): its kubelet's two and kube-proxy's.
// The CA's key stays where it is.

import { join } from "node:path";
import { issueCertificate, reasonToReissue } from "./certificate.js";
import { nodeLeafs } from "./cluster-certificates.js";
import { readIfPresent, readKeyPair, writeKeyPair, writeWhole } from "./pem.js";

export interface NodePkiOptions {
  /** Where they go. */
  readonly directory: string;
  /** Where ca.crt and ca.key lie. */
  readonly caDirectory: string;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly nowMs?: number;
}

/** Makes what is missing or no longer fits; throws when the CA is not there. */
export async function ensureNodePki(options: NodePkiOptions): Promise<void> {
  const { directory, caDirectory, nodeName, nodeIps, nowMs = Date.now() } = options;
  const ca = readKeyPair(caDirectory, "ca");
  if (!ca) throw new Error(`${caDirectory} lacks ca.crt or ca.key`);
  const caFile = join(directory, "ca.crt");
  if (readIfPresent(caFile) !== ca.cert) writeWhole(caFile, ca.cert, 0o644);
  const proxy = { name: "kube-proxy", subject: { commonName: "system:kube-proxy", usages: ["client" as const] } };
  for (const { name, subject } of [...nodeLeafs({ nodeName, nodeIps }), proxy]) {
    if (reasonToReissue({ pair: readKeyPair(directory, name), ca, subject, nowMs }) === undefined) continue;
    writeKeyPair(directory, name, await issueCertificate({ ca, subject, nowMs }));
  }
}
