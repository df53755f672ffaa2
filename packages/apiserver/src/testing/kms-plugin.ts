// A KMS v2 plugin on a unix socket, as somebody else would write one: gRPC with messages read and written field by field,
// keys that a test changes, and a switch that makes it ill.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { status as codes, Server, ServerCredentials } from "@grpc/grpc-js";
import type { TestWithTeardown } from "@picokube/testing/apiserver";
import { readMessage } from "./wire-message.js";

export interface KmsPlugin {
  /** unix:///... */
  readonly endpoint: string;
  keyId: string;
  /** "ok", or what ails it. */
  healthz: string;
  version: string;
  /** How often each call came. */
  readonly calls: { Status: number; Encrypt: number; Decrypt: number };
  close(): Promise<void>;
  open(): Promise<void>;
}

const ANNOTATION = "kms.example.com/nonce";

function field(number: number, bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes as string);
  if (content.length > 127) throw new Error("the test's plugin writes short fields");
  return Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content]);
}

const keyOf = (keyId: string) => createHash("sha256").update(`kek ${keyId}`).digest();

/** Listens on the socket until the test ends. */
export async function startKmsPlugin(t: TestWithTeardown, socket: string): Promise<KmsPlugin> {
  const calls = { Status: 0, Encrypt: 0, Decrypt: 0 };
  let server: Server | undefined;
  const answers: { [method in keyof typeof calls]: (request: Buffer) => Buffer } = {
    Status: () => Buffer.concat([field(1, plugin.version), field(2, plugin.healthz), field(3, plugin.keyId)]),
    Encrypt(request) {
      const plaintext = readMessage(request).find(({ number }) => number === 1)!.bytes;
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", keyOf(plugin.keyId), nonce);
      const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      const annotation = Buffer.concat([field(1, ANNOTATION), field(2, nonce)]);
      return Buffer.concat([field(1, sealed), field(2, plugin.keyId), field(3, annotation)]);
    },
    Decrypt(request) {
      const fields = new Map(readMessage(request).map(({ number, bytes }) => [number, bytes]));
      const [ciphertext, keyId, annotation] = [fields.get(1)!, fields.get(3)!.toString(), fields.get(4)!];
      const nonce = readMessage(annotation).find(({ number }) => number === 2)!.bytes;
      const decipher = createDecipheriv("aes-256-gcm", keyOf(keyId), nonce).setAuthTag(ciphertext.subarray(-16));
      return field(1, Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]));
    },
  };
  const unary = (method: keyof typeof calls) => ({
    path: `/v2.KeyManagementService/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  });
  type Reply = (error: object | null, answer?: Buffer) => void;
  const handle = (method: keyof typeof calls) => (call: { request: Buffer }, reply: Reply) => {
    calls[method]++;
    try {
      reply(null, answers[method](call.request));
    } catch (error) {
      reply({ code: codes.INTERNAL, details: (error as Error).message });
    }
  };
  const plugin: KmsPlugin = {
    endpoint: `unix://${socket}`,
    keyId: "key-1",
    healthz: "ok",
    version: "v2",
    calls,
    async close() {
      server?.forceShutdown();
      server = undefined;
    },
    async open() {
      const opened = new Server();
      const methods = ["Status", "Encrypt", "Decrypt"] as const;
      opened.addService(
        Object.fromEntries(methods.map((method) => [method, unary(method)])),
        Object.fromEntries(methods.map((method) => [method, handle(method)])) as never,
      );
      await new Promise<void>((resolve, reject) => {
        opened.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
          error ? reject(error) : resolve(),
        );
      });
      server = opened;
    },
  };
  t.teardown(() => plugin.close());
  await plugin.open();
  return plugin;
}
