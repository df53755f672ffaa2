// Options that several commands take.

import { Option } from "commander";
import { defaultDataDir } from "../cluster/cluster.js";

export const dataDir = () =>
  new Option("--data-dir <directory>", "where the cluster's store, keys and pods lie").default(defaultDataDir);

export const registryMirror = () =>
  new Option("--registry-mirror <url>", "asked for images by new local VMs' engines; may be repeated").argParser(
    (word: string, before: string[] | undefined) => [...(before ?? []), word],
  );
