// Makes the Node object at start, or takes over one that is there: upstream's tryRegisterWithAPIServer. Of its status it
// touches only what device plugins had put there.

import { type Node, nodes } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { KubeletSettings } from "../parts.js";
import { extendedResources } from "./node-resources.js";
import { architecture } from "./node-status.js";

const attachDetach = "volumes.kubernetes.io/controller-managed-attach-detach";
const providedNodeIp = "alpha.kubernetes.io/provided-node-ip";
const uninitialized = { key: "node.cloudprovider.kubernetes.io/uninitialized", value: "true", effect: "NoSchedule" };

/** The labels that are brought up to date on a Node that is there; others of --node-labels count at its making alone. */
const reconciledLabels = [
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
];

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

function annotationsOf({ externalCloud, nodeIpsGiven }: KubeletSettings): Record<string, string> {
  return {
    [attachDetach]: "true",
    ...(externalCloud && nodeIpsGiven.length > 0 ? { [providedNodeIp]: nodeIpsGiven.join(",") } : {}),
  };
}

/** The Node as it is first created. */
export function newNode(settings: KubeletSettings): NewObject<Node> {
  const { nodeName, providerId, registerWithTaints, externalCloud } = settings;
  const taints = [...registerWithTaints, ...(externalCloud ? [uninitialized] : [])];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: nodeName, labels: nodeLabels(settings), annotations: annotationsOf(settings) },
    spec: {
      ...(providerId ? { providerID: providerId } : {}),
      ...(taints.length > 0 ? { taints: taints.map((taint) => ({ ...taint })) } : {}),
    } as Node["spec"],
  };
}

/** The metadata that a Node lacks; undefined when it lacks none. A label without a value is taken away. */
export function metadataPatch({ metadata }: Node, settings: KubeletSettings): Record<string, unknown> | undefined {
  const wanted = nodeLabels(settings);
  const labels = reconciledLabels.flatMap((label) => {
    const [value, present] = [wanted[label], metadata.labels?.[label]];
    return value === undefined || (value || undefined) === present ? [] : [[label, value || null] as const];
  });
  const annotations = Object.entries(annotationsOf(settings)).filter(
    ([key, value]) => metadata.annotations?.[key] !== value,
  );
  if (labels.length === 0 && annotations.length === 0) return undefined;
  return {
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels) } : {}),
    ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
  };
}

/** Device plugins of before are gone: what they offered is not there until somebody offers it again. */
export function withoutDevices({ status }: Node): Record<string, unknown> | undefined {
  const offered = extendedResources(status?.capacity ?? {}).filter(([, amount]) => amount.sign !== 0);
  if (offered.length === 0) return undefined;
  const none = Object.fromEntries(offered.map(([name]) => [name, "0"]));
  return { capacity: none, allocatable: none };
}

/** Registers once; throws when the API cannot be asked. */
export async function registerNode(client: Client, settings: KubeletSettings, signal: AbortSignal): Promise<Node> {
  try {
    return await client.create(nodes, newNode(settings), { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const name = { name: settings.nodeName };
  let node = await client.get(nodes, name, { signal });
  const metadata = metadataPatch(node, settings);
  if (metadata) node = await client.patch(nodes, name, { metadata }, { type: "strategic", signal });
  const status = withoutDevices(node);
  if (!status) return node;
  return client.patch(nodes, name, { status }, { type: "strategic", subresource: "status", signal });
}
