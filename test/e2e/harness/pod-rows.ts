// Pods as kubectl prints them: what stories of several nodes ask of them.

import type { Kubectl } from "./kubectl.js";

export interface PodRow {
  metadata: { name: string; uid: string; deletionTimestamp?: string; deletionGracePeriodSeconds?: number };
  spec: { nodeName?: string };
  status: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; ready: boolean }[];
  };
}

export const isReady = ({ status }: PodRow) =>
  status.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

/** Those with the label app. */
export async function podsOf(kubectl: Kubectl, app: string): Promise<PodRow[]> {
  return (await kubectl.json(["get", "pods", "-l", `app=${app}`])).items;
}
