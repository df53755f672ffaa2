// Client certificates: who the TLS peer is, if its certificate chains to the client CA. The server asks for a
// certificate without checking it; everything about it is checked here, once a socket, and its dates at each request.

import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { StatusError } from "@picokube/api/errors";
import type { Authenticator, UserInfo } from "./authenticator.js";

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
const MAX_CHAIN = 8;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Every certificate of a PEM bundle. */
export function parseBundle(pem: string): X509Certificate[] {
  return (pem.match(PEM) ?? []).map((block) => new X509Certificate(block));
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Why the certificate is not acceptable from these roots, in Go's words; undefined when it is. now in epoch ms. */
export function verifyClientCertificate(
  leaf: X509Certificate,
  {
    roots,
    intermediates,
    now,
  }: { roots: readonly X509Certificate[]; intermediates: readonly X509Certificate[]; now: number },
): string | undefined {
  const expired = validityFault(leaf, now);
  if (expired) return expired;
  const usages = leaf.keyUsage as string[] | undefined;
  if (usages !== undefined && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_EXTENDED_KEY_USAGE)) {
    return "x509: certificate specifies an incompatible key usage";
  }
  let current = leaf;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    if (roots.some((root) => (root.ca && isIssuedBy(current, root)) || root.raw.equals(current.raw))) return undefined;
    const issuer = intermediates.find((candidate) => candidate.ca && isIssuedBy(current, candidate));
    if (!issuer || issuer.raw.equals(current.raw)) break;
    const fault = validityFault(issuer, now);
    if (fault) return fault;
    current = issuer;
  }
  return "x509: certificate signed by unknown authority";
}

function validityFault(certificate: X509Certificate, now: number): string | undefined {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  const words = "x509: certificate has expired or is not yet valid: current time";
  const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  if (now < from) return `${words} ${iso(now)} is before ${iso(from)}`;
  if (now > to) return `${words} ${iso(now)} is after ${iso(to)}`;
  return undefined;
}

const asList = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** CN is the user, each O a group (upstream: CommonNameUserConversion); undefined without a CN. */
export function userOf(certificate: X509Certificate): UserInfo | undefined {
  const subject = certificate.toLegacyObject().subject as unknown as { CN?: string | string[]; O?: string | string[] };
  const name = asList(subject?.CN).at(-1);
  if (!name) return undefined;
  const fingerprint = createHash("sha256").update(certificate.raw).digest("hex");
  return {
    name,
    groups: asList(subject.O),
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  };
}

/** What a socket presented, without asking for it twice. */
export function peerCertificates(
  socket: TLSSocket,
): { leaf: X509Certificate; intermediates: X509Certificate[] } | undefined {
  const leaf = socket.getPeerX509Certificate?.();
  if (!leaf) return undefined;
  const intermediates: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next && intermediates.length < MAX_CHAIN; next = next.issuerCertificate) {
    if (intermediates.some((known) => known.raw.equals(next!.raw))) break;
    intermediates.push(next);
  }
  return { leaf, intermediates };
}

interface Verdict {
  readonly user: UserInfo | undefined;
  readonly validToMs: number;
  readonly fault: string | undefined;
}

/** Authenticates by the certificate of the connection; bundle is read at each new connection, so it may change. */
export function x509Authenticator({ bundle, now }: { bundle: () => string; now: () => number }): Authenticator {
  const verdicts = new WeakMap<object, Verdict>();
  let parsed: { pem: string; roots: X509Certificate[] } | undefined;
  const roots = (): X509Certificate[] => {
    const pem = bundle();
    if (parsed?.pem !== pem) parsed = { pem, roots: parseBundle(pem) };
    return parsed.roots;
  };
  const judge = (socket: TLSSocket): Verdict | undefined => {
    const presented = peerCertificates(socket);
    if (!presented) return undefined;
    const { leaf, intermediates } = presented;
    const fault = verifyClientCertificate(leaf, { roots: roots(), intermediates, now: now() });
    return { user: fault ? undefined : userOf(leaf), validToMs: Date.parse(leaf.validTo), fault };
  };
  return {
    name: "x509",
    authenticate({ socket }) {
      let verdict = verdicts.get(socket);
      if (!verdict) {
        verdict = judge(socket as TLSSocket);
        if (!verdict) return undefined;
        verdicts.set(socket, verdict);
      }
      if (verdict.fault !== undefined || now() > verdict.validToMs) {
        const cause = new Error(verdict.fault ?? "x509: certificate has expired or is not yet valid");
        throw new StatusError({ code: 401, reason: "Unauthorized", message: "Unauthorized" }, { cause });
      }
      return verdict.user;
    },
  };
}
