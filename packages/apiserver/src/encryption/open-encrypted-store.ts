// --encryption-provider-config: wraps the store as the file says, and follows the file when asked to.

import { unwatchFile, watchFile } from "node:fs";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";
import { createEncryptedStore, type ResourceOfKey } from "./encrypted-store.js";
import { readEncryptionConfiguration } from "./encryption-configuration.js";
import { createTransformers } from "./transformers.js";

const POLL_INTERVAL_MS = 1000;

export interface EncryptionOptions {
  /** "" leaves the store as it is. */
  readonly encryptionProviderConfig: string;
  readonly encryptionProviderConfigAutomaticReload: boolean;
}

/** Throws ConfigError for a file that is wrong; a wrong file later on is logged, and what was read before stays in use. */
export async function openEncryptedStore(
  store: Store,
  {
    encryptionProviderConfig: path,
    encryptionProviderConfigAutomaticReload,
    resourceOf,
    onReload,
    logger,
    signal,
  }: EncryptionOptions & {
    resourceOf: ResourceOfKey;
    /** Called once a changed file is in use. */
    onReload: () => Promise<void>;
    logger: Logger;
    /** Ends the following of the file. */
    signal: AbortSignal;
  },
): Promise<Store> {
  if (path === "") return store;
  const transformerOf = createTransformers(await readEncryptionConfiguration(path));
  const encrypted = createEncryptedStore({ store, transformerOf, resourceOf });
  if (!encryptionProviderConfigAutomaticReload) return encrypted;
  const reload = async () => {
    try {
      encrypted.use(createTransformers(await readEncryptionConfiguration(path)));
      await onReload();
      logger.info("Reloaded the encryption configuration", { path });
    } catch (error) {
      logger.error("the encryption configuration could not be reloaded, the previous one stays in use", { err: error });
    }
  };
  const listener = () => void reload();
  watchFile(path, { interval: POLL_INTERVAL_MS, persistent: false }, listener);
  signal.addEventListener("abort", () => unwatchFile(path, listener), { once: true });
  return encrypted;
}
