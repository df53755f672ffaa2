// Pods from files: reads staticPodPath, names each after the node, and keeps a mirror of it in the API so that people
// see it. Mirrors upstream's config/file.go and mirror_client.go.

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Node, type Pod, pods } from "@picokube/api/core/v1";
import { isAlreadyExists, isForbidden, isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import { parseYamlDocuments } from "@picokube/component-base/config-file";
import type { Logger } from "@picokube/component-base/logger";

export interface StaticPodsOptions {
  readonly path: string;
  readonly nodeName: string;
  readonly periodMs: number;
  readonly client: Client;
  readonly node: () => Node | undefined;
  /** Called with each pod that appeared or changed, and with undefined for one that went. */
  readonly onPod: (uid: string, pod: Pod | undefined) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const annotations = {
  hash: "kubernetes.io/config.hash",
  source: "kubernetes.io/config.source",
  seen: "kubernetes.io/config.seen",
  mirror: "kubernetes.io/config.mirror",
} as const;

/** A pod as a file defines it, completed as upstream's applyDefaults does. Throws on what is no Pod. */
export function staticPod(text: string, file: string, { nodeName, seen }: { nodeName: string; seen: string }): Pod {
  const documents = parseYamlDocuments(text, { source: file });
  const [document] = documents as Pod[];
  if (documents.length !== 1 || document?.kind !== "Pod") throw new Error(`${file}: holds no single Pod`);
  if (!document.metadata?.name) throw new Error(`${file}: the Pod has no name`);
  const uid = createHash("md5").update(text).update(`host:${nodeName}`).update(`file:${file}`).digest("hex");
  const { spec } = document;
  return {
    ...document,
    apiVersion: "v1",
    metadata: {
      ...document.metadata,
      name: `${document.metadata.name}-${nodeName}`,
      namespace: document.metadata.namespace ?? "default",
      uid,
      resourceVersion: "",
      creationTimestamp: seen,
      annotations: {
        ...document.metadata.annotations,
        [annotations.hash]: uid,
        [annotations.source]: "file",
        [annotations.seen]: seen,
      },
    },
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      ...spec!,
      nodeName,
      tolerations: [...(spec?.tolerations ?? []), { effect: "NoExecute", operator: "Exists" }],
    },
  };
}

/** The object that stands for a static pod in the API. */
export function mirrorOf(pod: Pod, node: Node): NewObject<Pod> {
  const { name, namespace, labels } = pod.metadata;
  const { spec } = pod;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: namespace ?? "default",
      ...(labels ? { labels } : {}),
      annotations: { ...pod.metadata.annotations, [annotations.mirror]: pod.metadata.uid },
      ownerReferences: [
        { apiVersion: "v1", kind: "Node", name: node.metadata.name, uid: node.metadata.uid, controller: true },
      ],
    },
    ...(spec ? { spec } : {}),
  };
}

/** Follows the folder until the signal aborts. A file that cannot be read keeps its pod running. */
export async function runStaticPods(options: StaticPodsOptions, signal: AbortSignal): Promise<void> {
  const { path, nodeName, periodMs, onPod, clock, logger } = options;
  const known = new Map<string, { text: string; pod: Pod }>();

  async function files(): Promise<string[]> {
    const found = await stat(path).catch(() => undefined);
    if (!found) return [];
    if (!found.isDirectory()) return [path];
    const names = await readdir(path);
    return names.filter((name) => !name.startsWith(".")).map((name) => join(path, name));
  }

  async function read(file: string): Promise<void> {
    const text = await readFile(file, "utf8");
    const before = known.get(file);
    if (before?.text === text) return;
    const pod = staticPod(text, file, { nodeName, seen: new Date(clock.now()).toISOString() });
    if (before) onPod(before.pod.metadata.uid, undefined);
    known.set(file, { text, pod });
    onPod(pod.metadata.uid, pod);
  }

  while (!signal.aborted) {
    const present = await files();
    for (const file of present) {
      await read(file).catch((err: unknown) => logger.error("Could not process manifest file", { path: file, err }));
    }
    for (const [file, { pod }] of known) {
      if (present.includes(file)) continue;
      known.delete(file);
      onPod(pod.metadata.uid, undefined);
      await removeMirror(options, pod).catch((err: unknown) => logger.info("Cannot delete a mirror pod", { err }));
    }
    for (const { pod } of known.values()) {
      await ensureMirror(options, pod).catch((err: unknown) =>
        logger.v(2).info("Cannot create a mirror pod yet", { err }),
      );
    }
    await clock.sleep(periodMs, signal).catch(() => undefined);
  }
}

const nameOf = ({ metadata }: Pod) => ({ name: metadata.name, namespace: metadata.namespace ?? "default" });

async function ensureMirror(options: StaticPodsOptions, pod: Pod): Promise<void> {
  const node = options.node();
  if (!node) return;
  const current = await options.client.get(pods, nameOf(pod)).catch((error: unknown) => {
    // A node has no right to a pod that is not bound to it, and what is not there is bound to nobody.
    if (isNotFound(error) || isForbidden(error)) return undefined;
    throw error;
  });
  if (current?.metadata.annotations?.[annotations.mirror] === pod.metadata.uid && !current.metadata.deletionTimestamp)
    return;
  if (current) await removeMirror(options, pod);
  await options.client.create(pods, mirrorOf(pod, node)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

async function removeMirror({ client }: StaticPodsOptions, pod: Pod): Promise<void> {
  await client.delete(pods, nameOf(pod), { gracePeriodSeconds: 0 }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
