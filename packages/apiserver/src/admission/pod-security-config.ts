// PodSecurityConfiguration: what holds in namespaces without labels, and who is let be. Checked as upstream checks it.

import { ConfigError } from "@picokube/component-base/config-error";
import {
  isLevel,
  isVersion,
  levelWords,
  type Mode,
  type Policy,
  privilegedPolicy,
  versionWords,
} from "./pod-security-policy.js";

export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

/** Without a file: nothing is asked of anybody. */
export const defaultPodSecurity: PodSecurityConfiguration = {
  defaults: privilegedPolicy,
  exemptions: { usernames: [], namespaces: [], runtimeClasses: [] },
};

const VERSIONS = ["v1", "v1beta1", "v1alpha1"].map((version) => `pod-security.admission.config.k8s.io/${version}`);

/** Reads the plugin's section of --admission-control-config-file; throws ConfigError. */
export function readPodSecurityConfiguration(section: unknown): PodSecurityConfiguration {
  if (section === undefined) return defaultPodSecurity;
  const {
    apiVersion,
    kind,
    defaults = {},
    exemptions = {},
  } = section as {
    apiVersion?: string;
    kind?: string;
    defaults?: { [field: string]: string };
    exemptions?: { [field: string]: string[] };
  };
  if (kind !== "PodSecurityConfiguration" || !VERSIONS.includes(apiVersion ?? "")) {
    throw new ConfigError(
      `PodSecurity: no kind ${JSON.stringify(kind ?? "")} is registered for version ${JSON.stringify(apiVersion ?? "")}`,
    );
  }
  const modeOf = (mode: Mode) => {
    const level = defaults[mode] || "privileged";
    const version = defaults[`${mode}-version`] || "latest";
    if (!isLevel(level))
      throw new ConfigError(`defaults.${mode}: Invalid value: ${JSON.stringify(level)}: ${levelWords}`);
    if (!isVersion(version)) {
      throw new ConfigError(`defaults.${mode}-version: Invalid value: ${JSON.stringify(version)}: ${versionWords}`);
    }
    return { level, version };
  };
  const { usernames = [], namespaces = [], runtimeClasses = [] } = exemptions;
  return {
    defaults: { enforce: modeOf("enforce"), audit: modeOf("audit"), warn: modeOf("warn") },
    exemptions: { usernames, namespaces, runtimeClasses },
  };
}
