// The kms providers of an EncryptionConfiguration, connected. What they are made of is loaded only when there is one.

import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { EncryptionConfiguration } from "../encryption-configuration.js";
import type { Transformer } from "../transformer.js";
import { kmsTimeoutMs } from "./kms-configuration.js";

export interface KmsProviders {
  /** By the provider's name. */
  readonly transformers: ReadonlyMap<string, Transformer>;
  /** Throws when one of the plugins is not well. */
  check(): void;
  /** Called from now on whenever a plugin has a new key or is well again. */
  onChange(listener: () => void): void;
  close(): void;
}

/** Resolves when each plugin was asked once; one that does not answer is asked again later. */
export async function openKmsProviders(
  { resources }: EncryptionConfiguration,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<KmsProviders> {
  const configured = resources.flatMap(({ providers }) => providers.flatMap(({ kms }) => kms ?? []));
  if (configured.length === 0) return { transformers: new Map(), check() {}, onChange() {}, close() {} };
  const [{ kmsService }, { kmsProvider }] = await Promise.all([
    import("./kms-service.js"),
    import("./kms-provider.js"),
  ]);
  const stop = new AbortController();
  let changed = () => {};
  const providers = configured.map((kms) => {
    const service = kmsService({ endpoint: kms.endpoint, timeoutMs: kmsTimeoutMs(kms) });
    stop.signal.addEventListener("abort", () => service.close(), { once: true });
    const provider = kmsProvider({ name: kms.name, service, clock, logger, onChange: () => changed() });
    return [kms.name, provider] as const;
  });
  await Promise.all(providers.map(([, provider]) => provider.probe()));
  for (const [, provider] of providers) void provider.follow(stop.signal);
  return {
    transformers: new Map(providers.map(([name, { transformer }]) => [name, transformer])),
    check() {
      for (const [, provider] of providers) provider.check();
    },
    onChange(listener) {
      changed = listener;
    },
    close: () => stop.abort(),
  };
}
