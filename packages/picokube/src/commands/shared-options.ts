// Options that several commands take.

import { ConfigError } from "@picokube/component-base/config-error";
import { Option } from "commander";
import { defaultDataDir } from "../cluster/cluster.js";

export const dataDir = () =>
  new Option("--data-dir <directory>", "where the cluster's store, keys and pods lie").default(defaultDataDir);

export const registryMirror = () =>
  new Option("--registry-mirror <url>", "asked for images by new local VMs' engines; may be repeated").argParser(
    (word: string, before: string[] | undefined) => [...(before ?? []), checkedMirror(word)],
  );

/** What dockerd would not start with is refused here (its ValidateMirror). Throws ConfigError. */
export function checkedMirror(text: string): string {
  const fault = (why: string) => new ConfigError(`invalid argument "${text}" for "--registry-mirror": ${why}`);
  if (!URL.canParse(text)) throw fault("it is not a valid URI: give http://HOST:PORT or https://HOST");
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  const scheme = protocol.slice(0, -1);
  if (scheme !== "http" && scheme !== "https") throw fault(`unsupported scheme "${scheme}"`);
  if (username !== "" || password !== "") throw fault("username/password not allowed in URI");
  if ((pathname !== "" && pathname !== "/") || search !== "" || hash !== "")
    throw fault("path, query, or fragment at end of the URI");
  return text;
}
