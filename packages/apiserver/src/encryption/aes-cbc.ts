// aescbc: a random IV of 16 bytes, then the ciphertext, padded as PKCS#7 says. Authenticates nothing: kept because every
// tutorial of Kubernetes the hard way begins with it.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Transformer } from "./transformer.js";

const BLOCK_BYTES = 16;

/** A key of 16, 24 or 32 bytes (upstream: NewCBCTransformer). */
export function aesCbc(key: Buffer): Transformer {
  const algorithm = `aes-${key.length * 8}-cbc`;
  return {
    toStorage(plain) {
      const iv = randomBytes(BLOCK_BYTES);
      const cipher = createCipheriv(algorithm, key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
    },
    fromStorage(stored) {
      if (stored.length < BLOCK_BYTES) throw new Error("the stored data was shorter than the required size");
      const data = stored.subarray(BLOCK_BYTES);
      if (data.length % BLOCK_BYTES !== 0) throw new Error("the stored data is not a multiple of the block size");
      if (data.length === 0) throw new Error("invalid PKCS7 data (empty or not padded)");
      const decipher = createDecipheriv(algorithm, key, stored.subarray(0, BLOCK_BYTES));
      try {
        return { plain: Buffer.concat([decipher.update(data), decipher.final()]), stale: false };
      } catch (error) {
        throw new Error("invalid padding on input", { cause: error });
      }
    },
  };
}
