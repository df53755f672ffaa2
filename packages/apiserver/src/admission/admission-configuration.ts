// --admission-control-config-file: an AdmissionConfiguration whose sections hold the plugins' own configurations, in
// place or in files of their own. Knows no plugin.

import { dirname, resolve } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { loadYaml } from "@picokube/component-base/config-file";

const GROUP = "apiserver.config.k8s.io";
const VERSIONS = [`${GROUP}/v1`, `${GROUP}/v1alpha1`, "apiserver.k8s.io/v1alpha1"];

interface Section {
  readonly name?: string;
  /** A file, from the directory of the one that names it. */
  readonly path?: string;
  readonly configuration?: unknown;
}

/** Each plugin's configuration by the plugin's name. */
export type AdmissionConfiguration = ReadonlyMap<string, unknown>;

/** Reads the file; no file is an empty configuration. Throws ConfigError. */
export async function readAdmissionConfiguration(path: string | undefined): Promise<AdmissionConfiguration> {
  if (!path) return new Map();
  const document = ((await loadYaml(path)) ?? {}) as { apiVersion?: string; kind?: string; plugins?: Section[] };
  if (document.kind !== "AdmissionConfiguration" || !VERSIONS.includes(document.apiVersion ?? "")) {
    throw new ConfigError(`${path}: is no AdmissionConfiguration of ${VERSIONS[0]}`);
  }
  const sections = new Map<string, unknown>();
  for (const { name, path: own, configuration } of document.plugins ?? []) {
    if (!name) throw new ConfigError(`${path}: a plugin without a name`);
    sections.set(name, configuration ?? (own ? await loadYaml(resolve(dirname(path), own)) : undefined));
  }
  return sections;
}
