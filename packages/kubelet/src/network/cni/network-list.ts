// A CNI network configuration out of the configuration directory: the first of its files, by name, that is one. Mirrors
// libcni's conf.go. Reads; calls no plugin.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One plugin's configuration: what is given to it, whatever it means to it. */
export interface PluginConfig {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [field: string]: unknown;
}

export interface NetworkList {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly PluginConfig[];
}

const oldestVersion = "0.1.0";

/** A .conflist, or a .conf as a list of one. Throws on what is neither. */
export function parseNetworkList(text: string, file: string): NetworkList {
  const document = JSON.parse(text) as Partial<NetworkList> & Partial<PluginConfig>;
  const { name, cniVersion = oldestVersion } = document;
  const plugins = document.plugins ?? (document.type === undefined ? [] : [document as PluginConfig]);
  if (typeof name !== "string" || name === "") throw new Error(`${file}: error parsing configuration list: no name`);
  if (plugins.length === 0) throw new Error(`${file}: error parsing configuration list: no plugins in list`);
  const untyped = plugins.findIndex(({ type }) => typeof type !== "string" || type === "");
  if (untyped >= 0) throw new Error(`${file}: error parsing configuration: missing 'type' in plugin ${untyped}`);
  return { name, cniVersion, plugins };
}

/** The network that pods get; undefined when no file of the directory is a configuration. onFault hears of bad files. */
export async function readNetworkList(
  directory: string,
  onFault: (file: string, error: unknown) => void = () => {},
): Promise<NetworkList | undefined> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((file) => /\.(conflist|conf|json)$/.test(file)).sort()) {
    const file = join(directory, name);
    try {
      return parseNetworkList(await readFile(file, "utf8"), file);
    } catch (error) {
      onFault(file, error);
    }
  }
  return undefined;
}
