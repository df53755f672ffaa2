// --encryption-provider-config: wraps the store as the file says, and follows the file when asked to, and the keys of KMS
// plugins always.

import { unwatchFile, watchFile } from "node:fs";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";
import { createEncryptedStore, type ResourceOfKey } from "./encrypted-store.js";
import { readEncryptionConfiguration } from "./encryption-configuration.js";
import { openKmsProviders } from "./kms/open-kms-providers.js";
import { createTransformers, type TransformerOf } from "./transformers.js";

const POLL_INTERVAL_MS = 1000;

export interface EncryptionOptions {
  /** "" leaves the store as it is. */
  readonly encryptionProviderConfig: string;
  readonly encryptionProviderConfigAutomaticReload: boolean;
}

export interface OpenedStore {
  readonly store: Store;
  /** Throws when a KMS plugin is not well; undefined when nothing is encrypted. */
  readonly checkKms?: () => void;
}

/** One reading of the file, in use until the next. */
interface Reading {
  /** Made anew at each call, so that what others wrote counts as stale. */
  transformerOf(): TransformerOf;
  onChange(listener: () => void): void;
  check(): void;
  close(): void;
}

/** Throws ConfigError for a file that is wrong; a wrong file later on is logged, and what was read before stays in use. */
export async function openEncryptedStore(
  store: Store,
  {
    encryptionProviderConfig: path,
    encryptionProviderConfigAutomaticReload,
    resourceOf,
    onReload,
    clock,
    logger,
    signal,
  }: EncryptionOptions & {
    resourceOf: ResourceOfKey;
    /** Called once a changed file or a plugin's changed key is in use. */
    onReload: () => Promise<void>;
    clock: Clock;
    logger: Logger;
    /** Ends the following of the file and of plugins. */
    signal: AbortSignal;
  },
): Promise<OpenedStore> {
  if (path === "") return { store };
  let reading = await read(path, { clock, logger });
  const encrypted = createEncryptedStore({ store, transformerOf: reading.transformerOf(), resourceOf });
  const take = (): Promise<void> => {
    encrypted.use(reading.transformerOf());
    return onReload();
  };
  const takeLogged = () => {
    take().catch((error: Error) => logger.error("objects could not be read again", { err: error }));
  };
  reading.onChange(takeLogged);
  const reload = async () => {
    try {
      const next = await read(path, { clock, logger });
      const previous = reading;
      reading = next;
      reading.onChange(takeLogged);
      await take();
      previous.close();
      logger.info("Reloaded the encryption configuration", { path });
    } catch (error) {
      logger.error("the encryption configuration could not be reloaded, the previous one stays in use", { err: error });
    }
  };
  const listener = () => void reload();
  if (encryptionProviderConfigAutomaticReload)
    watchFile(path, { interval: POLL_INTERVAL_MS, persistent: false }, listener);
  const stop = () => {
    unwatchFile(path, listener);
    reading.close();
  };
  signal.addEventListener("abort", stop, { once: true });
  return { store: encrypted, checkKms: () => reading.check() };
}

async function read(path: string, dependencies: { clock: Clock; logger: Logger }): Promise<Reading> {
  const configuration = await readEncryptionConfiguration(path);
  const kms = await openKmsProviders(configuration, dependencies);
  return { ...kms, transformerOf: () => createTransformers(configuration, kms.transformers) };
}
