// identity: bytes as they are. Refuses what another provider encrypted, so that the next in the list may try.

import type { Transformer } from "./transformer.js";

const ENCRYPTED_PREFIX = Buffer.from("k8s:enc:");

/** Upstream: identity.NewEncryptCheckTransformer. */
export const identity: Transformer = {
  toStorage: (plain) => plain,
  fromStorage(stored) {
    if (stored.subarray(0, ENCRYPTED_PREFIX.length).equals(ENCRYPTED_PREFIX)) {
      throw new Error("identity transformer tried to read encrypted data");
    }
    return { plain: stored, stale: false };
  },
};
