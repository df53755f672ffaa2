// ImageLocality: prefers nodes that already hold the pod's images.

import type { NodeInfo } from "../framework/node-info.js";
import { MAX_NODE_SCORE, type Plugin } from "../framework/plugin.js";
import type { PodInfo } from "../framework/pod-info.js";

const MB = 1024 * 1024;
const MIN_THRESHOLD_BYTES = 23 * MB;
const MAX_CONTAINER_THRESHOLD_BYTES = 1000 * MB;

/** With its tag: ":latest" when it has neither tag nor digest. */
export function normalizedImageName(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

function imagesOf({ pod }: PodInfo): string[] {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return all.map(({ image }) => normalizedImageName(image ?? ""));
}

/** An image that few nodes hold counts less, lest all its pods crowd there. */
function spread(image: string, nodes: readonly NodeInfo[]): number {
  return nodes.filter(({ images }) => images.has(image)).length / nodes.length;
}

export const imageLocality: Plugin<undefined, ReadonlyMap<string, number>> = {
  name: "ImageLocality",
  preScore: (pod, _, { nodes }) => ({ state: new Map(imagesOf(pod).map((image) => [image, spread(image, nodes)])) }),
  score(pod, { images }, spreads) {
    const names = imagesOf(pod);
    const sum = names.reduce((total, image) => total + Math.trunc((images.get(image) ?? 0) * spreads.get(image)!), 0);
    const maximum = MAX_CONTAINER_THRESHOLD_BYTES * names.length;
    const bounded = Math.min(Math.max(sum, MIN_THRESHOLD_BYTES), maximum);
    return Math.trunc((MAX_NODE_SCORE * (bounded - MIN_THRESHOLD_BYTES)) / (maximum - MIN_THRESHOLD_BYTES));
  },
};
