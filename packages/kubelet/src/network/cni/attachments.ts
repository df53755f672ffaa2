// Which sandboxes CNI plugins have wired, and with what: files, so that a kubelet that starts anew gives back what one
// before it took. libcni's result cache.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attachment, CniResult } from "./exec-plugin.js";
import type { NetworkList } from "./network-list.js";

export interface Attached {
  readonly owner: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly network: NetworkList;
  readonly attachment: Attachment;
  /** Undefined while, or after, plugins were being called and have not all succeeded. */
  readonly result: CniResult | undefined;
}

export interface Attachments {
  get(owner: string): Attached | undefined;
  owners(): string[];
  save(attached: Attached): void;
  delete(owner: string): void;
}

/** Reads what is there; a file that cannot be read is a file of nobody. */
export function openAttachments(directory: string): Attachments {
  const known = new Map<string, Attached>();
  const fileOf = (owner: string) => join(directory, `${owner.replaceAll("/", "_")}.json`);
  for (const name of filesOf(directory)) {
    try {
      const attached = JSON.parse(readFileSync(join(directory, name), "utf8")) as Attached;
      known.set(attached.owner, attached);
    } catch {
      rmSync(join(directory, name), { force: true });
    }
  }
  return {
    get: (owner) => known.get(owner),
    owners: () => [...known.keys()],
    save(attached) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const file = fileOf(attached.owner);
      writeFileSync(`${file}.tmp`, JSON.stringify(attached));
      renameSync(`${file}.tmp`, file);
      known.set(attached.owner, attached);
    },
    delete(owner) {
      known.delete(owner);
      rmSync(fileOf(owner), { force: true });
    },
  };
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
