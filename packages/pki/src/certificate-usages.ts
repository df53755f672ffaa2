// The usages of certificates.k8s.io as X.509 has them (upstream: pkg/controller/certificates/authority, keyutil). Pure.

import { x509 } from "./x509.js";

const flags = x509.KeyUsageFlags;

const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: flags.digitalSignature,
  "digital signature": flags.digitalSignature,
  "content commitment": flags.nonRepudiation,
  "key encipherment": flags.keyEncipherment,
  "key agreement": flags.keyAgreement,
  "data encipherment": flags.dataEncipherment,
  "cert sign": flags.keyCertSign,
  "crl sign": flags.cRLSign,
  "encipher only": flags.encipherOnly,
  "decipher only": flags.decipherOnly,
};

const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

/** The two extensions that say so. Throws for a usage that is not known. */
export function usageExtensions(usages: readonly string[]): x509.Extension[] {
  let keyUsages = 0;
  const extended = new Set<string>();
  for (const usage of usages) {
    const flag = KEY_USAGES[usage];
    const identifier = EXTENDED_USAGES[usage];
    if (flag === undefined && identifier === undefined) {
      throw new Error(`unrecognized usage values: [${JSON.stringify(usage)}]`);
    }
    if (flag !== undefined) keyUsages |= flag;
    if (identifier !== undefined) extended.add(identifier);
  }
  return [
    ...(keyUsages === 0 ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
    ...(extended.size === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extended])]),
  ];
}
