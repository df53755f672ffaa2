// Empties the node that this machine is: no new pods, and those that are there evicted as their budgets allow. Acts as the
// node itself, which may do that to its own pods and no others'.

import { nodes, type Pod, pods } from "@picokube/api/core/v1";
import { isNotFound, isTooManyRequests } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { realClock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { planDrain, podName } from "./drain-plan.js";

const periodMs = 500;

export interface DrainOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly timeoutMs: number;
  /** Pods that nobody would make again go too, and after the timeout those that a budget holds. */
  readonly force: boolean;
}

/** Pods that hold a node up. */
export class DrainError extends ConfigError {}

/** Resolves when the pods are gone. Throws DrainError naming those that hold it up; the node stays cordoned. */
export async function drain({ client, nodeName, timeoutMs, force }: DrainOptions): Promise<void> {
  const found = async () => planDrain((await client.list(pods, { fieldSelector: `spec.nodeName=${nodeName}` })).items);
  const first = await found();
  if (first.unmanaged.length > 0 && !force)
    throw new DrainError(
      `cannot evict pods that no controller would make again (use --force to delete them): ${first.unmanaged.join(", ")}`,
    );
  await client.patch(nodes, { name: nodeName }, { spec: { unschedulable: true } }, { type: "merge" });
  const clock = realClock();
  const giveUpMs = clock.now() + timeoutMs;
  let left = first.evict;
  let held = new Map<string, string>();
  while (left.length > 0 && clock.now() < giveUpMs) {
    held = new Map();
    // A server that asks to be asked later may ask for longer than there is time.
    const signal = AbortSignal.timeout(Math.max(1, giveUpMs - clock.now()));
    await Promise.all(left.map((pod) => evict(client, { pod, held, signal })));
    await clock.sleep(periodMs);
    left = (await found()).evict;
  }
  if (left.length === 0) return;
  if (!force) {
    const words = left.map((pod) => `${podName(pod)} (${held.get(podName(pod)) ?? "it is still ending"})`);
    throw new DrainError(
      `not drained within ${timeoutMs / 1000} s: ${words.join(", ")}; the node takes no new pods meanwhile: try again with a longer --timeout, or with --force, which deletes them`,
    );
  }
  await Promise.all(left.map((pod) => remove(client, pod)));
}

async function evict(
  client: Client,
  { pod, held, signal }: { pod: Pod; held: Map<string, string>; signal: AbortSignal },
): Promise<void> {
  if (pod.metadata.deletionTimestamp) return;
  const { name, namespace = "" } = pod.metadata;
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  try {
    await client.createSubresource(pods, { name, namespace }, "eviction", eviction, { signal });
  } catch (error) {
    if (signal.aborted) return;
    if (isTooManyRequests(error)) held.set(podName(pod), (error as Error).message);
    else if (!isNotFound(error)) throw error;
  }
}

async function remove(client: Client, { metadata }: Pod): Promise<void> {
  const { name, namespace = "" } = metadata;
  await client.delete(pods, { name, namespace }, { gracePeriodSeconds: 0 }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
