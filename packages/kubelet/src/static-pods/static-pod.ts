// A pod as a file or a URL defines it, completed as upstream's config/common.go does: named after the node, with a uid
// made of what it says and where it came from. Pure.

import { createHash } from "node:crypto";
import type { Pod } from "@picokube/api/core/v1";
import { canonicalJson } from "@picokube/api/hash";

export const annotations = {
  hash: "kubernetes.io/config.hash",
  source: "kubernetes.io/config.source",
  seen: "kubernetes.io/config.seen",
  mirror: "kubernetes.io/config.mirror",
} as const;

export interface StaticPodPlace {
  readonly source: "file" | "http";
  /** The file's path or the URL. */
  readonly path: string;
  readonly nodeName: string;
  /** When it was first read. */
  readonly seen: string;
}

/** Throws on what is no Pod, naming the place. */
export function staticPod(document: unknown, { source, path, nodeName, seen }: StaticPodPlace): Pod {
  const pod = document as Pod | undefined;
  if (pod?.kind !== "Pod")
    throw new Error(`${path}: couldn't parse as pod(invalid pod: ${pod?.kind ?? "no kind"}), please check config file`);
  if (!pod.metadata?.name) throw new Error(`${path}: the Pod has no name`);
  const hash = createHash("md5").update(canonicalJson(pod));
  const uid = (
    source === "file" ? hash.update(`host:${nodeName}`).update(`file:${path}`) : hash.update(`url:${path}`)
  ).digest("hex");
  return {
    ...pod,
    apiVersion: "v1",
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName}`,
      namespace: pod.metadata.namespace ?? "default",
      uid,
      resourceVersion: "",
      creationTimestamp: seen,
      annotations: {
        ...pod.metadata.annotations,
        [annotations.hash]: uid,
        [annotations.source]: source,
        [annotations.seen]: seen,
      },
    },
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      ...pod.spec!,
      nodeName,
      tolerations: [...(pod.spec?.tolerations ?? []), { effect: "NoExecute", operator: "Exists" }],
    },
  };
}
