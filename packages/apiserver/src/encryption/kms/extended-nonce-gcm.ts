// AES-GCM whose key is made anew for each value from a seed and 32 random bytes, which stand before the nonce: so many
// random bytes never come twice, 12 might (upstream: aes.NewHKDFExtendedNonceGCMTransformer).

import { createHmac, randomBytes } from "node:crypto";
import { aesGcm } from "../aes-gcm.js";
import type { Transformer } from "../transformer.js";

/** Also the length of the seed and of the keys. */
const INFO_BYTES = 32;
export const SEED_BYTES = 32;

/** A seed of at least 32 random bytes. */
export function extendedNonceGcm(seed: Buffer): Transformer {
  // HKDF's expansion with SHA-256, whose first block is the whole key; a random seed needs no extraction.
  const keyOf = (info: Buffer) =>
    createHmac("sha256", seed)
      .update(info)
      .update(Buffer.from([1]))
      .digest();
  return {
    async toStorage(plain, storageKey) {
      const info = randomBytes(INFO_BYTES);
      return Buffer.concat([info, await aesGcm(keyOf(info)).toStorage(plain, storageKey)]);
    },
    fromStorage(stored, storageKey) {
      if (stored.length < INFO_BYTES) throw new Error("the stored data was shorter than the required size");
      const info = stored.subarray(0, INFO_BYTES);
      return aesGcm(keyOf(info)).fromStorage(stored.subarray(INFO_BYTES), storageKey);
    },
  };
}
