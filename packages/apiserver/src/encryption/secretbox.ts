// secretbox: NaCl's XSalsa20 with Poly1305: a random nonce of 24 bytes, the tag of 16, the ciphertext.

import { randomBytes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import type { Transformer } from "./transformer.js";

const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** A key of 32 bytes (upstream: NewSecretboxTransformer). */
export function secretbox(key: Buffer): Transformer {
  return {
    toStorage(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)]);
    },
    fromStorage(stored) {
      if (stored.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error("the stored data was shorter than the required size");
      }
      const box = xsalsa20poly1305(key, stored.subarray(0, NONCE_BYTES));
      try {
        return { plain: Buffer.from(box.decrypt(stored.subarray(NONCE_BYTES))), stale: false };
      } catch (error) {
        throw new Error("output array was not large enough for encryption", { cause: error });
      }
    },
  };
}
