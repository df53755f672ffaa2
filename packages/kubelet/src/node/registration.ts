// Makes the Node object at start, or brings an existing one's labels up to date. Touches nothing of its status.

import { type Node, nodes } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { KubeletSettings } from "../parts.js";
import { architecture } from "./node-status.js";

const attachDetach = "volumes.kubernetes.io/controller-managed-attach-detach";

/** The labels every kubelet gives its node, with those of --node-labels. */
export function nodeLabels({
  nodeName,
  nodeLabels: extra,
}: Pick<KubeletSettings, "nodeName" | "nodeLabels">): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": "linux",
    ...extra,
  };
}

/** The Node as it is first created. */
export function newNode(settings: KubeletSettings): NewObject<Node> {
  const { nodeName, providerId, registerWithTaints } = settings;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: nodeName, labels: nodeLabels(settings), annotations: { [attachDetach]: "true" } },
    spec: {
      ...(providerId ? { providerID: providerId } : {}),
      ...(registerWithTaints.length > 0 ? { taints: registerWithTaints.map((taint) => ({ ...taint })) } : {}),
    } as Node["spec"],
  };
}

/** Registers once; throws when the API cannot be asked. */
export async function registerNode(client: Client, settings: KubeletSettings, signal: AbortSignal): Promise<Node> {
  try {
    return await client.create(nodes, newNode(settings), { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const existing = await client.get(nodes, { name: settings.nodeName }, { signal });
  const wanted = nodeLabels(settings);
  const changed = Object.entries(wanted).filter(([key, value]) => existing.metadata.labels?.[key] !== value);
  const annotated = existing.metadata.annotations?.[attachDetach] === "true";
  if (changed.length === 0 && annotated) return existing;
  const metadata = {
    labels: Object.fromEntries(changed),
    ...(annotated ? {} : { annotations: { [attachDetach]: "true" } }),
  };
  return client.patch(nodes, { name: settings.nodeName }, { metadata }, { type: "strategic", signal });
}
