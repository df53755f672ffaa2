// Makes and deletes the pods of a controller's object, and says so in events. Upstream's RealPodControl.

import { type Pod, type PodTemplateSpec, pods } from "@picokube/api/core/v1";
import { isNotFound, StatusError } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";

export interface PodControl {
  create(options: {
    owner: KubernetesObject;
    reference: OwnerReference;
    template: PodTemplateSpec;
    /** "<owner>-" when left out. */
    generateName?: string;
  }): Promise<Pod>;
  delete(options: { owner: KubernetesObject; pod: Pod }): Promise<void>;
}

/** A failed creation or deletion is recorded and thrown on. */
export function createPodControl({ client, recorder }: { client: Client; recorder: EventRecorder }): PodControl {
  return {
    async create({ owner, reference, template, generateName = `${owner.metadata.name}-` }) {
      const { labels, annotations, finalizers } = template.metadata ?? {};
      const metadata = {
        namespace: owner.metadata.namespace!,
        generateName,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
        ...(finalizers ? { finalizers } : {}),
        ownerReferences: [reference],
      };
      try {
        const pod = await client.create(pods, { metadata, spec: template.spec! });
        const message = `Created pod: ${pod.metadata.name}`;
        recorder.record(owner, { type: "Normal", reason: "SuccessfulCreate", message });
        return pod;
      } catch (error) {
        if (!isNamespaceTerminating(error)) {
          const message = `Error creating: ${(error as Error).message}`;
          recorder.record(owner, { type: "Warning", reason: "FailedCreate", message });
        }
        throw error;
      }
    },
    async delete({ owner, pod }) {
      const { name, namespace } = pod.metadata;
      try {
        await client.delete(pods, { name, namespace: namespace! });
      } catch (error) {
        if (!isNotFound(error)) {
          const message = `Error deleting: ${(error as Error).message}`;
          recorder.record(owner, { type: "Warning", reason: "FailedDelete", message });
        }
        throw error;
      }
      recorder.record(owner, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${name}` });
    },
  };
}

/** The server refused because the namespace is going away: nobody needs to hear of it. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating")
  );
}

/** Calls act count times in batches of 1, 2, 4, ... and stops after a batch that failed. Upstream's slowStartBatch. */
export async function slowStart(
  count: number,
  act: () => Promise<unknown>,
): Promise<{ successes: number; skipped: number; error: unknown }> {
  let left = count;
  let successes = 0;
  for (let batch = Math.min(1, left); batch > 0; batch = Math.min(2 * batch, left)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, act));
    const failures = results.filter((result) => result.status === "rejected");
    successes += batch - failures.length;
    left -= batch;
    if (failures.length > 0) return { successes, skipped: left, error: failures[0]!.reason };
  }
  return { successes, skipped: 0, error: undefined };
}
