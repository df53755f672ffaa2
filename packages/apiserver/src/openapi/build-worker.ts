// Runs in a thread of its own: writes one OpenAPI document, compresses it, hands the bytes over and ends. Started by
// openapi.ts only.

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import type { CustomSchema } from "./custom-schemas.js";
import { type DocumentParts, documentParts } from "./document.js";
import { documentV2, documentV2Proto } from "./document-v2.js";
import { documentV3 } from "./document-v3.js";

export interface BuildRequest {
  readonly form: "v2" | "v2-proto" | "v3";
  /** For info.version. */
  readonly version: string;
  readonly paths: DocumentParts["paths"];
  readonly custom: readonly CustomSchema[];
}

const writers: { readonly [form in BuildRequest["form"]]: (parts: DocumentParts) => Iterable<string | Buffer> } = {
  v2: documentV2,
  "v2-proto": documentV2Proto,
  v3: documentV3,
};

/** The whole document, not compressed. */
export function buildDocument({ form, version, paths, custom }: BuildRequest): Buffer {
  const parts = documentParts({ paths, version, custom, form: form === "v3" ? "v3" : "v2" });
  const pieces = [...writers[form](parts)];
  return Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)));
}

if (!isMainThread && parentPort && (workerData as BuildRequest | null)?.form) {
  const bytes = new Uint8Array(gzipSync(buildDocument(workerData as BuildRequest)));
  parentPort.postMessage(bytes, [bytes.buffer]);
}
