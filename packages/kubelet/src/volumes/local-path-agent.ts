// This node's part of the bundled provisioner: says where its directories lie, and removes those that the provisioner no
// longer needs, as annotations of the Node ask. Removes nothing but directories of that form below its own root.

import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Node, nodes } from "@picokube/api/core/v1";
import { isLocalPathDirectory, localPathRoot, removalOf, removalsOn, removed } from "@picokube/api/storage/local-path";
import type { Client } from "@picokube/client/client";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { mountedBelow } from "./mounter.js";

const retryMs = 10_000;

/** Where a kubelet with this root directory keeps provisioned volumes. */
export const localPathDirectoryOf = (rootDir: string): string => join(rootDir, "local-path");

/** Removes a volume's directory; one that is gone already is removed. Throws when the name is none of ours. */
export async function removeLocalPath(
  root: string,
  { volume, directory }: { volume: string; directory: string },
): Promise<void> {
  if (!isLocalPathDirectory(directory) || !directory.startsWith(`${volume}_`))
    throw new Error(`${JSON.stringify(directory)} is no directory of volume ${volume}`);
  const path = join(root, directory);
  const info = await lstat(path).catch(() => undefined);
  if (!info) return;
  if (!info.isDirectory()) throw new Error(`${path} is not a directory`);
  // What somebody mounted there is not the volume's.
  const mounted = await mountedBelow(path);
  if (mounted.length > 0) throw new Error(`${mounted[0]} is mounted`);
  await rm(path, { recursive: true });
}

export interface LocalPathAgentOptions {
  readonly root: string;
  readonly nodeName: string;
  readonly client: Client;
  readonly informer: Informer<Node>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs until the signal aborts. What fails is logged and tried again. */
export async function runLocalPathAgent(
  { root, nodeName, client, informer, clock, logger }: LocalPathAgentOptions,
  signal: AbortSignal,
): Promise<void> {
  let wake = () => {};
  const stop = informer.addHandler({ add: () => wake(), update: () => wake() });
  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });

  /** What the Node should say; false in the end when something is to be tried again. */
  async function answers(node: Node): Promise<{ annotations: Record<string, string>; complete: boolean }> {
    const annotations: Record<string, string> = {};
    let complete = true;
    if (node.metadata.annotations?.[localPathRoot] !== root) annotations[localPathRoot] = root;
    for (const [volume, directory] of removalsOn(node.metadata.annotations)) {
      if (directory === removed) continue;
      try {
        await removeLocalPath(root, { volume, directory });
        annotations[removalOf(volume)] = removed;
        logger.info("Removed the directory of a volume", { volume, directory });
      } catch (err) {
        complete = false;
        logger.error("The directory of a volume cannot be removed", { volume, directory, err });
      }
    }
    return { annotations, complete };
  }

  async function look(): Promise<boolean> {
    const node = informer.get(nodeName);
    if (!node) return true;
    try {
      const { annotations, complete } = await answers(node);
      if (Object.keys(annotations).length > 0)
        await client.patch(nodes, { name: nodeName }, { metadata: { annotations } }, { type: "merge", signal });
      return complete;
    } catch (err) {
      if (!signal.aborted) logger.error("The node could not be told about its local volumes", { err });
      return false;
    }
  }

  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  while (!signal.aborted) {
    const next = changed();
    const complete = await look();
    if (complete) await Promise.race([next, aborted]);
    else await clock.sleep(retryMs, signal).catch(() => undefined);
  }
  stop();
}
