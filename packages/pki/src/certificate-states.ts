// How the certificates of a cluster stand: until when they hold, and what is wrong with them, in words. Changes nothing.

import { X509Certificate } from "node:crypto";
import { reasonToReissue } from "./certificate.js";
import { type ClusterNames, clusterLeafs } from "./cluster-certificates.js";
import { readKeyPair } from "./pem.js";

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
  const cas = ["ca", "front-proxy-ca"].map((name) => caState(directory, { name, nowMs }));
  const leafs = clusterLeafs(names).map(({ name, ca: caName, subject }): CertificateState => {
    const pair = readKeyPair(directory, name);
    const ca = readKeyPair(directory, caName);
    const reason = ca ? reasonToReissue({ pair, ca, subject, nowMs }) : `its CA ${caName} is missing`;
    const expiresMs = pair && expiryMs(pair.cert);
    const isOver = expiresMs !== undefined && expiresMs <= nowMs;
    const words = isOver ? `it expired at ${new Date(expiresMs).toISOString()}` : reason;
    return { name, ca: caName, expiresMs, fault: words?.replace(/^(it|its)\b/, (word) => said(name, word)) };
  });
  return [...cas, ...leafs];
}

function said(name: string, word: string): string {
  return word === "it" ? `the ${name} certificate` : `the ${name} certificate's`;
}

function caState(directory: string, { name, nowMs }: { name: string; nowMs: number }): CertificateState {
  const pair = readKeyPair(directory, name);
  const expiresMs = pair && expiryMs(pair.cert);
  const fault =
    expiresMs === undefined
      ? `the CA ${name} is missing or damaged: put ${name}.crt and ${name}.key back from a copy`
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
