// The fingerprint by which a CA is known beforehand: "sha256:" of its public key (kubeadm's pubkeypin). Pure.

import { createHash, X509Certificate } from "node:crypto";
import { ConfigError } from "@picokube/component-base/config-error";

const FORMAT = /^sha256:[0-9a-f]{64}$/;

/** Of the first certificate of the PEM text. Throws when there is none. */
export function caCertHash(pem: string): string {
  const publicKey = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(publicKey).digest("hex")}`;
}

/** Throws ConfigError when the text cannot be such a fingerprint (Set.Allow). */
export function parseCaCertHash(text: string): string {
  const hash = text.toLowerCase();
  if (!hash.includes(":"))
    throw new ConfigError(
      `invalid discovery token CA certificate hash: invalid hash, expected "format:hex-value". Known format(s) are: sha256`,
    );
  if (!FORMAT.test(hash))
    throw new ConfigError(
      `invalid discovery token CA certificate hash ${JSON.stringify(text)}: it is "sha256:" and 64 hexadecimal digits`,
    );
  return hash;
}
