// aesgcm: a random nonce of 12 bytes, the ciphertext, the tag of 16; the storage key is authenticated with them, so that
// nobody can move a value to another name.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Transformer } from "./transformer.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key of 16, 24 or 32 bytes (upstream: NewGCMTransformer). */
export function aesGcm(key: Buffer): Transformer {
  const algorithm = `aes-${key.length * 8}-gcm` as "aes-256-gcm";
  return {
    toStorage(plain, storageKey) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(storageKey));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    fromStorage(stored, storageKey) {
      if (stored.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error("the stored data was shorter than the required size");
      }
      const decipher = createDecipheriv(algorithm, key, stored.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(storageKey))
        .setAuthTag(stored.subarray(-TAG_BYTES));
      const plain = decipher.update(stored.subarray(NONCE_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch (error) {
        throw new Error("cipher: message authentication failed", { cause: error });
      }
      return { plain, stale: false };
    },
  };
}
