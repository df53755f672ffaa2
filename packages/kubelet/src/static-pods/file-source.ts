// Static pods' manifests in a directory, or in one file: staticPodPath. Mirrors upstream's config/file.go.

import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseYamlDocuments } from "@picokube/component-base/config-file";
import type { Logger } from "@picokube/component-base/logger";
import type { StaticPodSource } from "./static-pods.js";

async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return [];
  if (!found.isDirectory()) return [path];
  const names = await readdir(path);
  return names.filter((name) => !name.startsWith(".")).map((name) => join(path, name));
}

/** Throws an error in upstream's words for what is no document, or several. */
function singleDocument(text: string, file: string): unknown {
  const fail = (why: string, cause?: unknown): never => {
    throw new Error(`${file}: couldn't parse as pod(${why}), please check config file`, { cause });
  };
  let documents: unknown[] = [];
  try {
    documents = parseYamlDocuments(text, { source: file });
  } catch (error) {
    fail((error as Error).message, error);
  }
  return documents.length === 1 ? documents[0] : fail(`${documents.length} documents`);
}

/** A file that cannot be read, or holds no single Pod, keeps its pod running. */
export function fileSource(path: string, { logger }: { logger: Logger }): StaticPodSource {
  const known = new Map<string, { text: string; document: unknown }>();
  return {
    kind: "file",
    watch(onChange) {
      let watcher: FSWatcher;
      try {
        watcher = watch(path, { persistent: false }, onChange);
      } catch {
        // Not there yet: the next look will see it.
        return undefined;
      }
      watcher.on("error", onChange);
      return () => watcher.close();
    },
    async read() {
      const files = await filesOf(path);
      for (const file of known.keys()) if (!files.includes(file)) known.delete(file);
      for (const file of files) {
        try {
          const text = await readFile(file, "utf8");
          if (known.get(file)?.text === text) continue;
          known.set(file, { text, document: singleDocument(text, file) });
        } catch (err) {
          logger.error("Could not process manifest file", { path: file, err });
        }
      }
      return new Map([...known].map(([file, { document }]) => [file, { path: file, document }]));
    },
  };
}
