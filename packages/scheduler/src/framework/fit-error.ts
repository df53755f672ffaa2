// Why no node would do, in upstream's words (framework.FitError). Decides nothing.

import type { Rejection } from "./plugin.js";

export interface NodeRejection extends Rejection {
  readonly plugin: string;
}

export interface Diagnosis {
  readonly nodeCount: number;
  /** By node name. */
  readonly rejections: ReadonlyMap<string, NodeRejection>;
  /** A plugin rejected the pod for all nodes at once. */
  readonly preFilterMessage?: string | undefined;
  /** Nodes that preFilter left out, and on whose account. */
  readonly absent?: NodeRejection | undefined;
  /** Plugins whose verdict may change. */
  readonly plugins: ReadonlySet<string>;
}

function histogram(rejections: Iterable<Rejection>): string {
  const counts = new Map<string, number>();
  for (const { reasons } of rejections) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const lines = [...counts].map(([reason, count]) => `${count} ${reason}`);
  return lines.sort().join(", ");
}

function allRejections({ nodeCount, rejections, absent }: Diagnosis): Rejection[] {
  const all: Rejection[] = [...rejections.values()];
  if (absent) all.push(...Array.from({ length: nodeCount - all.length }, () => absent));
  return all;
}

/** "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable." and what preemption said. */
export function fitErrorMessage(diagnosis: Diagnosis, preemptionMessage: string): string {
  if (diagnosis.nodeCount === 0) return "no nodes available to schedule pods";
  const reasons = diagnosis.preFilterMessage ?? histogram(allRejections(diagnosis));
  const first = `0/${diagnosis.nodeCount} nodes are available:${reasons === "" ? "" : ` ${reasons}.`}`;
  return preemptionMessage === "" ? first : `${first} ${preemptionMessage}`;
}

/** What upstream's DefaultPreemption says when it finds nobody to evict. */
export function preemptionMessage(diagnosis: Diagnosis, { never }: { never: boolean }): string {
  if (diagnosis.nodeCount === 0) return "";
  if (never) return "preemption: not eligible due to preemptionPolicy=Never.";
  const { nodeCount, preFilterMessage } = diagnosis;
  const rejections = preFilterMessage
    ? Array.from({ length: nodeCount }, (): Rejection => ({ reasons: [], unresolvable: true }))
    : allRejections(diagnosis);
  const reasons = histogram(
    rejections.map(({ unresolvable }) => ({
      reasons: [
        unresolvable ? "Preemption is not helpful for scheduling" : "No preemption victims found for incoming pod",
      ],
    })),
  );
  return `preemption: 0/${nodeCount} nodes are available: ${reasons}.`;
}
