// How the certificates of a cluster stand: until when they hold, and what is wrong with them, in words. Changes nothing.

import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { reasonToReissue } from "./certificate.js";
import { type ClusterNames, clusterLeafs, nodeLeafs } from "./cluster-certificates.js";
import { type KeyPair, readIfPresent, readKeyPair } from "./pem.js";

export interface CertificateState {
  /** The file's name without its ending: "apiserver", "ca". */
  readonly name: string;
  /** Who signed it: "ca", "front-proxy-ca"; undefined for the CAs themselves. */
  readonly ca: string | undefined;
  /** Milliseconds since the epoch; undefined when it cannot be read. */
  readonly expiresMs: number | undefined;
  /** "the apiserver certificate does not name 10.96.0.1"; undefined when all is well. */
  readonly fault: string | undefined;
}

/** The CAs, then every leaf, in the order in which they are made. */
export function certificateStates({
  directory,
  nowMs,
  ...names
}: ClusterNames & { readonly directory: string; readonly nowMs: number }): CertificateState[] {
  const cas = ["ca", "front-proxy-ca"].map((name) =>
    caState(readKeyPair(directory, name)?.cert, { name, files: `${name}.crt and ${name}.key`, nowMs }),
  );
  const leafs = clusterLeafs(names).map(({ name, ca: caName, subject }): CertificateState => {
    const pair = readKeyPair(directory, name);
    const ca = readKeyPair(directory, caName);
    const reason = ca ? reasonToReissue({ pair, ca, subject, nowMs }) : `its CA ${caName} is missing`;
    return leafState({ name, ca: caName, pair, reason, nowMs });
  });
  return [...cas, ...leafs];
}

/** Of a machine that joined, whose kubelet asks for its two certificates and renews them: the CA, what the machine is to the
 *  API server, what it serves with. */
export function joinedCertificateStates({
  directory,
  nodeName,
  nodeIps,
  nowMs,
}: Pick<ClusterNames, "nodeName" | "nodeIps"> & {
  readonly directory: string;
  readonly nowMs: number;
}): CertificateState[] {
  const ca = readIfPresent(join(directory, "ca.crt"));
  const leafs = nodeLeafs({ nodeName, nodeIps }).map(({ subject }): CertificateState => {
    const isServer = subject.usages.includes("server");
    const name = isServer ? "kubelet-server-current" : "kubelet-client-current";
    const pair = readOneFile(join(directory, `${name}.pem`));
    // What the kubelet asks for names its Node's addresses and nothing of loopback.
    const named = isServer ? { ...subject, names: [nodeName, ...nodeIps] } : subject;
    const reason = ca
      ? reasonToReissue({ pair, ca: { cert: ca }, subject: named, nowMs, renewBeforeMs: 0 })
      : "its CA ca is missing";
    return leafState({ name, ca: "ca", pair, reason, nowMs });
  });
  return [caState(ca, { name: "ca", files: "ca.crt", nowMs }), ...leafs];
}

interface Judged {
  readonly name: string;
  readonly ca: string;
  readonly pair: KeyPair | undefined;
  /** Why it should be another: "it is missing". */
  readonly reason: string | undefined;
  readonly nowMs: number;
}

function leafState({ name, ca, pair, reason, nowMs }: Judged): CertificateState {
  const expiresMs = pair && expiryMs(pair.cert);
  const isOver = expiresMs !== undefined && expiresMs <= nowMs;
  const words = isOver ? `it expired at ${new Date(expiresMs).toISOString()}` : reason;
  return { name, ca, expiresMs, fault: words?.replace(/^(it|its)\b/, (word) => said(name, word)) };
}

/** The kubelet keeps certificate and key in one file. */
function readOneFile(path: string): KeyPair | undefined {
  const pem = readIfPresent(path);
  if (pem === undefined) return undefined;
  const keyAt = pem.search(/-----BEGIN (?:EC |RSA )?PRIVATE KEY-----/);
  return keyAt < 0 ? { cert: pem, key: "" } : { cert: pem.slice(0, keyAt), key: pem.slice(keyAt) };
}

function said(name: string, word: string): string {
  return word === "it" ? `the ${name} certificate` : `the ${name} certificate's`;
}

function caState(
  cert: string | undefined,
  { name, files, nowMs }: { name: string; files: string; nowMs: number },
): CertificateState {
  const expiresMs = cert === undefined ? undefined : expiryMs(cert);
  const fault =
    expiresMs === undefined
      ? `the CA ${name} is missing or damaged: put ${files} back from a copy`
      : expiresMs <= nowMs
        ? `the CA ${name} expired at ${new Date(expiresMs).toISOString()}: a new one means a new cluster`
        : undefined;
  return { name, ca: undefined, expiresMs, fault };
}

function expiryMs(cert: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(cert).validTo);
  } catch {
    return undefined;
  }
}
