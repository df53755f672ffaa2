// One kms provider of an EncryptionConfiguration: a seed made here and encrypted by the plugin encrypts the values, so
// that the plugin is asked once per seed and not once per value (upstream: envelope/kmsv2). Follows the plugin's key.

import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { LRUCache } from "lru-cache";
import { aesGcm } from "../aes-gcm.js";
import type { Transformer } from "../transformer.js";
import { extendedNonceGcm, SEED_BYTES } from "./extended-nonce-gcm.js";
import { decodeMessage, encodeMessage, encryptedObject, type Message } from "./kms-messages.js";
import type { KmsService } from "./kms-service.js";

const POLL_INTERVAL_MS = 60_000;
/** While the plugin is not well it is asked more often. */
const RETRY_INTERVAL_MS = 10_000;
/** How long a seed may encrypt after the plugin was last well. */
const SEED_VALIDITY_MS = 180_000;
/** One seed for each key of the plugin and each start of an apiserver. */
const REMEMBERED_SEEDS = 1024;
const MAX_KEY_ID_BYTES = 1024;
/** EncryptedDEKSourceType. */
const HKDF_SEED = 1;

export interface KmsProvider {
  readonly transformer: Transformer;
  /** Throws what the plugin's last answer was, unless it was well. */
  check(): void;
  /** Asks the plugin for its state and takes a changed key up; never throws. */
  probe(): Promise<void>;
  /** Probes from time to time until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

type EncryptedObject = Message<typeof encryptedObject>;

interface State {
  readonly keyId: string;
  readonly sealed: Omit<EncryptedObject, "encryptedData">;
  readonly transformer: Transformer;
}

export function kmsProvider({
  name,
  service,
  clock,
  logger,
  onChange,
}: {
  readonly name: string;
  readonly service: KmsService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The key is another one now, or the plugin is well again: what is stored may be stale, what was unreadable readable. */
  readonly onChange: () => void;
}): KmsProvider {
  const seeds = new LRUCache<string, Transformer>({ max: REMEMBERED_SEEDS });
  let state: State | undefined;
  let validUntilMs = 0;
  let fault: Error | undefined = new Error("the plugin was not asked yet");

  async function rotated(): Promise<State> {
    const seed = randomBytes(SEED_BYTES);
    const { ciphertext, keyId, annotations } = await service.encrypt(seed);
    checkKeyId(keyId);
    if (ciphertext.length === 0) throw new Error("failed to encrypt DEK source, the ciphertext is empty");
    const sealed = { keyId, encryptedDekSource: ciphertext, annotations, encryptedDekSourceType: HKDF_SEED };
    const transformer = extendedNonceGcm(seed);
    seeds.set(cacheKey(sealed), transformer);
    return { keyId, sealed, transformer };
  }

  async function ask(): Promise<void> {
    const { version, healthz, keyId } = await service.status();
    if (healthz !== "ok") throw new Error(`got unexpected healthz status: ${healthz}`);
    if (version !== "v2" && version !== "v2beta1") {
      throw new Error(`unsupported KMS API version ${version}, expected one of [v2 v2beta1]`);
    }
    checkKeyId(keyId);
    const isNew = state?.keyId !== keyId;
    if (isNew) state = await rotated();
    validUntilMs = clock.now() + SEED_VALIDITY_MS;
    if (isNew) logger.info("KMS plugin's key is in use", { provider: name, keyIdHash: hashOf(keyId) });
    if (isNew || fault) onChange();
  }

  /** The transformer of the seed that the object names, decrypted by the plugin where it is not known. */
  async function seedOf(object: EncryptedObject): Promise<Transformer> {
    const { encryptedDekSource: ciphertext, keyId, annotations, encryptedDekSourceType } = object;
    const key = cacheKey(object);
    const known = seeds.get(key);
    if (known) return known;
    let dek: Buffer;
    try {
      dek = await service.decrypt({ ciphertext, keyId, annotations });
    } catch (error) {
      throw new Error(`failed to decrypt DEK, error: ${(error as Error).message}`, { cause: error });
    }
    const transformer = encryptedDekSourceType === HKDF_SEED ? extendedNonceGcm(dek) : aesGcm(dek);
    seeds.set(key, transformer);
    return transformer;
  }

  async function probe(): Promise<void> {
    try {
      await ask();
      fault = undefined;
    } catch (error) {
      if (!fault || fault.message !== (error as Error).message) {
        logger.error("KMS plugin is not well", { provider: name, err: error });
      }
      fault = error as Error;
    }
  }

  return {
    transformer: {
      async toStorage(plain, storageKey) {
        if (!state) throw new Error(`KMS provider ${name} has no key yet: ${fault?.message}`);
        if (clock.now() > validUntilMs) {
          const [until, now] = [validUntilMs, clock.now()].map((ms) => new Date(ms).toISOString());
          const hash = JSON.stringify(hashOf(state.keyId));
          throw new Error(`encryptedDEKSource with keyID hash ${hash} expired at ${until} (current time is ${now})`);
        }
        const encryptedData = await state.transformer.toStorage(plain, storageKey);
        return encodeMessage(encryptedObject, { ...state.sealed, encryptedData });
      },
      async fromStorage(stored, storageKey) {
        const object = decodeMessage(encryptedObject, stored);
        checkObject(object);
        const { plain } = await (await seedOf(object)).fromStorage(object.encryptedData, storageKey);
        const stale = object.keyId !== state?.keyId || object.encryptedDekSourceType !== HKDF_SEED;
        return { plain, stale };
      },
    },
    check() {
      if (fault) throw fault;
    },
    probe,
    async follow(signal) {
      while (!signal.aborted) {
        await clock.sleep(fault ? RETRY_INTERVAL_MS : POLL_INTERVAL_MS, signal).catch(() => {});
        if (!signal.aborted) await probe();
      }
    },
  };
}

function checkKeyId(keyId: string): void {
  if (keyId === "") throw new Error("keyID is empty");
  const bytes = Buffer.byteLength(keyId);
  if (bytes > MAX_KEY_ID_BYTES) throw new Error(`keyID is ${bytes} bytes, which exceeds the max size of 1024`);
}

function checkObject({
  encryptedData,
  keyId,
  encryptedDekSource,
  encryptedDekSourceType: type,
}: EncryptedObject): void {
  if (type !== 0 && type !== HKDF_SEED) throw new Error(`unknown encryptedDEKSourceType: ${type}`);
  if (encryptedData.length === 0) throw new Error("encrypted data is empty");
  if (encryptedDekSource.length === 0) throw new Error("encrypted dek source is empty");
  checkKeyId(keyId);
}

/** Everything that the plugin needs to decrypt the seed. */
function cacheKey({
  encryptedDekSource,
  keyId,
  annotations,
  encryptedDekSourceType,
}: EncryptedObject | State["sealed"]) {
  const notes = Object.entries(annotations).sort(([left], [right]) => (left < right ? -1 : 1));
  const text = JSON.stringify([
    encryptedDekSource.toString("base64"),
    keyId,
    notes.map(([key, value]) => [key, value.toString("base64")]),
    encryptedDekSourceType,
  ]);
  return createHash("sha256").update(text).digest("base64");
}

/** Key ids may be secret: logs and errors show their hash (upstream: GetHashIfNotEmpty). */
function hashOf(keyId: string): string {
  return `sha256:${createHash("sha256").update(keyId).digest("hex")}`;
}
