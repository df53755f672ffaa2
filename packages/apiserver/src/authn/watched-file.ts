// A file whose text may change while the apiserver runs, such as a bundle of authorities. Understands nothing of it.

import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "@picokube/component-base/config-error";

/** Reads the file again when it has changed, at most once a second. Throws ConfigError when it could never be read. */
export function watchedFile(path: string, flag: string, now: () => number): () => string {
  let text = "";
  let stamp = "";
  let checkedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - checkedAt < 1000) return text;
    checkedAt = now();
    try {
      const { mtimeMs, size } = statSync(path);
      if (`${mtimeMs}/${size}` !== stamp) {
        text = readFileSync(path, "utf8");
        stamp = `${mtimeMs}/${size}`;
      }
    } catch (error) {
      if (stamp === "") throw new ConfigError(`${flag}: ${error instanceof Error ? error.message : error}`);
    }
    return text;
  };
}
