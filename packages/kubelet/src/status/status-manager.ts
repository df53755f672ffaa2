// Carries pod statuses to the API: the newest wins, one request a pod at a time, retried until it is through; then
// deletes what has terminated. Never decides what a status says.

import { type Pod, type PodStatus, pods } from "@picokube/api/core/v1";
import { isForbidden, isNotFound, StatusError } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { type Exponential, exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { StatusManager } from "../parts.js";
import { carryOver, statusPatch } from "./status-patch.js";

const initialRetryMs = 200;
const maxRetryMs = 10_000;
const maxParallel = 10;

interface Entry {
  pod: Pod;
  status: PodStatus;
  /** Counts what was set; sent is the one that the API has. */
  version: number;
  sentVersion: number;
  /** The pod as the API last showed it. */
  known: Pod;
  terminated: boolean;
  deleted: boolean;
  busy: boolean;
  retry: Exponential;
}

const mirrorAnnotation = "kubernetes.io/config.mirror";
const sourceAnnotation = "kubernetes.io/config.source";
const hashAnnotation = "kubernetes.io/config.hash";

/** Whether the pod came from a file and the API knows only its mirror. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[sourceAnnotation];
  return source !== undefined && source !== "api" && pod.metadata.annotations?.[mirrorAnnotation] === undefined;
}

function newer(a: Pod, b: Pod): Pod {
  return Number(b.metadata.resourceVersion) > Number(a.metadata.resourceVersion) ? b : a;
}

export interface StatusManagerOptions {
  client: Client;
  clock: Clock;
  logger: Logger;
}

/** Makes the one StatusManager of a kubelet. */
export function createStatusManager({ client, clock, logger }: StatusManagerOptions): StatusManager {
  const entries = new Map<string, Entry>();
  const waiting = new Set<string>();
  let running: AbortSignal | undefined;
  let busy = 0;

  function put(pod: Pod, status: PodStatus, terminated: boolean): void {
    const uid = pod.metadata.uid;
    const entry = entries.get(uid) ?? {
      pod,
      status,
      version: 0,
      sentVersion: -1,
      known: pod,
      terminated: false,
      deleted: false,
      busy: false,
      retry: exponential({ initialMs: initialRetryMs, maxMs: maxRetryMs, jitter: 0.1 }),
    };
    const before = entries.has(uid) ? entry.status : pod.status;
    entry.status = carryOver(before, status, new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z"));
    entry.pod = pod;
    entry.known = isStaticPod(pod) ? entry.known : newer(entry.known, pod);
    entry.terminated ||= terminated;
    entry.version++;
    entries.set(uid, entry);
    enqueue(uid);
  }

  function enqueue(uid: string): void {
    waiting.add(uid);
    pump();
  }

  function pump(): void {
    if (!running || running.aborted) return;
    for (const uid of waiting) {
      if (busy >= maxParallel) return;
      const entry = entries.get(uid);
      if (entry?.busy) continue;
      waiting.delete(uid);
      if (!entry) continue;
      entry.busy = true;
      busy++;
      void work(uid, entry, running).finally(() => {
        entry.busy = false;
        busy--;
        pump();
      });
    }
  }

  async function work(uid: string, entry: Entry, signal: AbortSignal): Promise<void> {
    try {
      await send(uid, entry, signal);
      entry.retry.reset();
    } catch (err) {
      if (signal.aborted) return;
      logger.v(2).info("Failed to update status for pod", { pod: entry.pod.metadata.name, podUid: uid, err });
      clock.after(entry.retry.next(), () => enqueue(uid));
    }
  }

  async function send(uid: string, entry: Entry, signal: AbortSignal): Promise<void> {
    const { version, status, pod } = entry;
    const name = { namespace: pod.metadata.namespace ?? "default", name: pod.metadata.name };
    if (isStaticPod(pod)) {
      const mirror = await found(client.get(pods, name, { signal }));
      // Without its mirror a static pod has nobody to report to.
      if (mirror?.metadata.annotations?.[mirrorAnnotation] !== pod.metadata.annotations?.[hashAnnotation]) return;
      entry.known = mirror!;
    }
    const patch = statusPatch(entry.known.status ?? {}, status);
    if (patch) {
      const body = { metadata: { uid: entry.known.metadata.uid }, status: patch };
      try {
        const answer = await client.patch(pods, name, body, { type: "strategic", subresource: "status", signal });
        entry.known = newer(entry.known, answer);
      } catch (error) {
        if (await isGone(error, name, entry, signal)) return drop(uid, entry);
        throw error;
      }
    }
    entry.sentVersion = Math.max(entry.sentVersion, version);
    if (entry.terminated && pod.metadata.deletionTimestamp && !entry.deleted && !isStaticPod(pod)) {
      try {
        const preconditions = { uid };
        await client.delete(pods, name, { gracePeriodSeconds: 0, preconditions, signal });
      } catch (error) {
        if (!(await isGone(error, name, entry, signal))) throw error;
      }
      entry.deleted = true;
      logger.v(3).info("Pod fully terminated and removed from etcd", { pod: name.name, podUid: uid });
    }
  }

  /** Whether a failure means that this very pod is no longer there. */
  async function isGone(
    error: unknown,
    name: { namespace: string; name: string },
    entry: Entry,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (isNotFound(error)) return true;
    if (!(error instanceof StatusError) || (error.code !== 409 && error.code !== 422)) return false;
    const current = await found(client.get(pods, name, { signal }));
    if (current && current.metadata.uid === entry.known.metadata.uid) {
      entry.known = current;
      return false;
    }
    return true;
  }

  function drop(uid: string, entry: Entry): void {
    entry.deleted = true;
    entry.sentVersion = entry.version;
    waiting.delete(uid);
  }

  return {
    set: (pod, status) => put(pod, status, false),
    get: (podUid) => entries.get(podUid)?.status,
    terminate: (pod, status) => put(pod, status, true),
    forget(podUid) {
      entries.delete(podUid);
      waiting.delete(podUid);
    },
    async run(signal) {
      running = signal;
      pump();
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
}

async function found<T>(get: Promise<T>): Promise<T | undefined> {
  try {
    return await get;
  } catch (error) {
    // A node has no right to a pod that is not bound to it, and what is not there is bound to nobody.
    if (isNotFound(error) || isForbidden(error)) return undefined;
    throw error;
  }
}
