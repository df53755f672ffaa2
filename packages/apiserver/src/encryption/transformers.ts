// From an EncryptionConfiguration to the transformer of each resource. Reads no file.

import type { GroupResource } from "@picokube/api/resource";
import { aesCbc } from "./aes-cbc.js";
import { aesGcm } from "./aes-gcm.js";
import type { EncryptionConfiguration, Keys, ProviderConfiguration } from "./encryption-configuration.js";
import { identity } from "./identity.js";
import { type PrefixTransformer, prefixTransformers } from "./prefix-transformers.js";
import { namesOf } from "./resource-names.js";
import { secretbox } from "./secretbox.js";
import type { Transformer } from "./transformer.js";

/** The transformer of a resource; undefined when nothing is configured for it. */
export type TransformerOf = (resource: GroupResource) => Transformer | undefined;

/** A resource that stands in several entries has the providers of all, in their order (upstream: getTransformerOverrides...). */
export function createTransformers(
  { resources }: EncryptionConfiguration,
  kmsTransformers: ReadonlyMap<string, Transformer> = new Map(),
): TransformerOf {
  const providersOf = new Map<string, PrefixTransformer[]>();
  for (const entry of resources) {
    const providers = entry.providers.map((provider) => prefixTransformerOf(provider, kmsTransformers));
    for (const name of entry.resources) providersOf.set(name, [...(providersOf.get(name) ?? []), ...providers]);
  }
  const transformers = new Map<string, Transformer>();
  for (const [name, list] of providersOf) transformers.set(name, prefixTransformers(list, "no matching prefix found"));
  return (resource) => {
    const name = namesOf(resource).find((each) => transformers.has(each));
    return name === undefined ? undefined : transformers.get(name);
  };
}

function prefixTransformerOf(
  { aesgcm, aescbc, secretbox: boxes, kms }: ProviderConfiguration,
  kmsTransformers: ReadonlyMap<string, Transformer>,
): PrefixTransformer {
  if (kms) return { prefix: `k8s:enc:kms:v2:${kms.name}:`, transformer: kmsTransformers.get(kms.name)! };
  if (aesgcm) return keyed("k8s:enc:aesgcm:v1:", { keys: aesgcm, make: aesGcm, name: "AES" });
  if (aescbc) return keyed("k8s:enc:aescbc:v1:", { keys: aescbc, make: aesCbc, name: "AES" });
  if (boxes) return keyed("k8s:enc:secretbox:v1:", { keys: boxes, make: secretbox, name: "Secretbox" });
  return { prefix: "", transformer: identity };
}

function keyed(
  prefix: string,
  { keys: { keys }, make, name }: { keys: Keys; make: (key: Buffer) => Transformer; name: string },
): PrefixTransformer {
  const list = keys.map((key) => ({
    prefix: `${key.name}:`,
    transformer: make(Buffer.from(key.secret, "base64")),
  }));
  const noMatch = `no matching key was found for the provided ${name} transformer`;
  return { prefix, transformer: prefixTransformers(list, noMatch) };
}
