// The objects that stand for static pods in the API, so that people see them. Mirrors upstream's pod/mirror_client.go. What
// is there is read from the informer: a node may not ask for a pod that does not exist.

import { type Node, type Pod, pods } from "@picokube/api/core/v1";
import { isAlreadyExists, isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { Informer } from "@picokube/client/informer";
import { annotations } from "./static-pod.js";

export interface MirrorPodsOptions {
  readonly client: Client;
  /** Of the pods of this node. */
  readonly informer: Pick<Informer<Pod>, "get" | "addHandler">;
  readonly node: () => Node | undefined;
}

export interface MirrorPods {
  /** Makes the mirror, or makes it anew when it shows another version of the pod. Rejects when it could not. */
  ensure(pod: Pod): Promise<void>;
  /** Tells of mirrors that somebody deletes until the returned function is called. */
  watch(onDeleted: () => void): () => void;
  remove(pod: Pod): Promise<void>;
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

const nameOf = ({ metadata }: Pod) => ({ name: metadata.name, namespace: metadata.namespace ?? "default" });

/** Remembers nothing: what is there is the API's. */
export function createMirrorPods({ client, informer, node }: MirrorPodsOptions): MirrorPods {
  async function remove(pod: Pod): Promise<void> {
    await client.delete(pods, nameOf(pod), { gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  return {
    remove,
    watch(onDeleted) {
      const told = ({ metadata }: Pod) => {
        if (metadata.annotations?.[annotations.mirror] !== undefined) onDeleted();
      };
      return informer.addHandler({
        update: (previous, current) => {
          if (current.metadata.deletionTimestamp && !previous.metadata.deletionTimestamp) told(current);
        },
        delete: told,
      });
    },
    async ensure(pod) {
      const owner = node();
      if (!owner) throw new Error("the node is not registered yet");
      const { name, namespace } = nameOf(pod);
      const current = informer.get(`${namespace}/${name}`);
      const shown = current?.metadata.annotations?.[annotations.mirror];
      if (shown === pod.metadata.uid && !current?.metadata.deletionTimestamp) return;
      if (current) await remove(pod);
      await client.create(pods, mirrorOf(pod, owner)).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    },
  };
}
