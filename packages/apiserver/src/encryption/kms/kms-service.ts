// A KMS v2 plugin behind a unix socket: its three calls over gRPC. Keeps nothing of what it is told. Loaded only where a
// kms provider is configured: gRPC weighs more than the rest of encryption.

import { randomUUID } from "node:crypto";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  decodeMessage,
  decryptRequest,
  decryptResponse,
  encodeMessage,
  encryptRequest,
  encryptResponse,
  type Message,
  statusRequest,
  statusResponse,
} from "./kms-messages.js";

const SERVICE = "/v2.KeyManagementService";

export interface KmsService {
  status(): Promise<Message<typeof statusResponse>>;
  encrypt(plaintext: Buffer): Promise<Message<typeof encryptResponse>>;
  decrypt(request: Omit<Message<typeof decryptRequest>, "uid">): Promise<Buffer>;
  close(): void;
}

/** Connects lazily and again; a call waits for the plugin until its time is over (upstream: WaitForReady). */
export function kmsService({
  endpoint,
  timeoutMs,
}: {
  /** unix:///path/of/the.sock, or unix:///@name in the abstract namespace. */
  readonly endpoint: string;
  readonly timeoutMs: number;
}): KmsService {
  const path = endpoint.replace(/^unix:\/\//, "");
  const address = path.startsWith("/@") ? `unix-abstract:${path.slice(2)}` : `unix:${path}`;
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.enable_http_proxy": 0,
  });

  function call<Out>(method: string, request: Buffer, decode: (bytes: Buffer) => Out): Promise<Out> {
    const metadata = new Metadata({ waitForReady: true });
    const options = { deadline: Date.now() + timeoutMs };
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        (bytes: Buffer) => bytes,
        decode,
        request,
        metadata,
        options,
        (error, answer) => {
          if (error || answer === undefined) reject(error ?? new Error(`${method}: no answer`));
          else resolve(answer);
        },
      );
    });
  }

  return {
    status: () => call("Status", encodeMessage(statusRequest, {}), (bytes) => decodeMessage(statusResponse, bytes)),
    encrypt: (plaintext) =>
      call("Encrypt", encodeMessage(encryptRequest, { plaintext, uid: randomUUID() }), (bytes) =>
        decodeMessage(encryptResponse, bytes),
      ),
    async decrypt(request) {
      const message = encodeMessage(decryptRequest, { ...request, uid: randomUUID() });
      const { plaintext } = await call("Decrypt", message, (bytes) => decodeMessage(decryptResponse, bytes));
      return plaintext;
    },
    close: () => client.close(),
  };
}
