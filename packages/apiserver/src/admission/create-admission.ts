// Runs the enabled plugins in their order: every mutating one, then every validating one. The plugins' list is plugins.ts.

import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { defaultDisabled, type PluginOptions, pluginFactories } from "./plugins.js";
import { rbacEscalation } from "./rbac-escalation.js";

export interface AdmissionOptions extends PluginOptions {
  readonly enableAdmissionPlugins: readonly string[];
  readonly disableAdmissionPlugins: readonly string[];
}

export interface Admission {
  /** Names of the plugins that run, in order. */
  readonly plugins: readonly string[];
  /** Changes attributes.object in place or throws. */
  admit(attributes: AdmissionAttributes): Promise<void>;
  /** Throws what the object may not be. */
  validate(attributes: AdmissionAttributes): Promise<void>;
}

function enabledNames({ enableAdmissionPlugins, disableAdmissionPlugins }: AdmissionOptions): string[] {
  const known = pluginFactories.map(({ name }) => name);
  for (const [flag, names] of [
    ["enable-admission-plugins", enableAdmissionPlugins],
    ["disable-admission-plugins", disableAdmissionPlugins],
  ] as const) {
    for (const name of names) {
      if (!known.includes(name)) throw new ConfigError(`${flag} plugin "${name}" is unknown`);
    }
  }
  for (const name of enableAdmissionPlugins) {
    if (disableAdmissionPlugins.includes(name)) {
      throw new ConfigError(`[${name}] in enable-admission-plugins and disable-admission-plugins overlapped`);
    }
  }
  return known.filter(
    (name) =>
      enableAdmissionPlugins.includes(name) || (!defaultDisabled.has(name) && !disableAdmissionPlugins.includes(name)),
  );
}

/** The admission chain; throws ConfigError for an unknown plugin. */
export function createAdmission(options: AdmissionOptions, storage: StorageRegistry): Admission {
  const names = enabledNames(options);
  const plugins: AdmissionPlugin[] = pluginFactories
    .filter(({ name }) => names.includes(name))
    .map(({ create }) => create(storage, options));
  plugins.push(rbacEscalation(storage, options.authorizer));
  const mutating = plugins.filter(({ admit }) => admit);
  const validating = plugins.filter(({ validate }) => validate);
  return {
    plugins: names,
    async admit(attributes) {
      for (const plugin of mutating) await plugin.admit?.(attributes);
    },
    async validate(attributes) {
      for (const plugin of validating) await plugin.validate?.(attributes);
    },
  };
}
