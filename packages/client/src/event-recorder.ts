// createEventRecorder: tells users what happened to an object, as core/v1 Events. Never fails its caller and never blocks it.

import { randomInt } from "node:crypto";
import { type Event, events, type ObjectReference } from "@picokube/api/core/v1";
import { isNotFound, StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { formatTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Client } from "./client.js";
import { EventCorrelator } from "./event-correlator.js";
import { isClientClosed } from "./retry.js";

export interface EventWords {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** Narrows the object: "spec.containers{nginx}". */
  readonly fieldPath?: string;
}

export interface EventRecorder {
  /** The object must carry apiVersion and kind, as those of a Client and its informers do. */
  record(object: KubernetesObject | ObjectReference, words: EventWords): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** "kubelet", "deployment-controller", "default-scheduler", ... */
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
  readonly logger?: Logger;
}

const maxWaiting = 1000;
const maxTries = 12;
const retryDelayMs = 10_000;

/** Writes in the background, one at a time and in order. */
export function createEventRecorder({ client, component, host, clock, logger }: EventRecorderOptions): EventRecorder {
  const correlator = new EventCorrelator({ clock });
  const waiting: Event[] = [];
  let busy = false;
  let lastSuffix = 0n;

  function eventName(name: string): string {
    // Upstream's clock has nanoseconds. Two recorders that speak of one object in one millisecond must not meet.
    const nowNs = BigInt(clock.now()) * 1_000_000n + BigInt(randomInt(1_000_000));
    lastSuffix = nowNs > lastSuffix ? nowNs : lastSuffix + 1n;
    return `${name}.${lastSuffix.toString(16)}`;
  }

  async function writeAll(): Promise<void> {
    if (busy) return;
    busy = true;
    for (let event = waiting.shift(); event; event = waiting.shift()) {
      const correlated = correlator.correlate(event);
      if (correlated) await writeWithRetries(correlated.event, correlated.write);
    }
    busy = false;
  }

  async function writeWithRetries(event: Event, write: "create" | "count"): Promise<void> {
    for (let tries = 1; tries <= maxTries; tries++) {
      try {
        return await writeOnce(event, write);
      } catch (error) {
        if (error instanceof StatusError) {
          // The server has judged: its namespace ends, or it may not be written.
          logger?.v(2).info("Server rejected event", { err: error, reason: event.reason });
          return;
        }
        if (isClientClosed(error)) return;
        await clock.sleep(retryDelayMs);
      }
    }
  }

  async function writeOnce(event: Event, write: "create" | "count"): Promise<void> {
    if (write === "count") {
      const { count, message, lastTimestamp } = event;
      const { name, namespace } = event.metadata;
      try {
        const where = { name, ...(namespace ? { namespace } : {}) };
        await client.patch(events, where, { count, message, lastTimestamp }, { type: "strategic" });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    await client.create(events, event);
  }

  return {
    record(object, { type, reason, message, fieldPath }) {
      if (waiting.length >= maxWaiting) return;
      const reference = { ...referenceTo(object), ...(fieldPath ? { fieldPath } : {}) };
      const timestamp = formatTime(clock.now());
      const event = {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: eventName(reference.name ?? ""), namespace: reference.namespace || "default" },
        involvedObject: reference,
        reason,
        message,
        type,
        source: { component, ...(host ? { host } : {}) },
        firstTimestamp: timestamp,
        lastTimestamp: timestamp,
        count: 1,
        reportingComponent: component,
        reportingInstance: host ?? "",
      };
      waiting.push(event as Event);
      void writeAll();
    },
  };
}

function referenceTo(object: KubernetesObject | ObjectReference): ObjectReference {
  if (!("metadata" in object)) return object;
  const { apiVersion, kind, metadata } = object as KubernetesObject;
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    ...(kind ? { kind } : {}),
    ...(namespace ? { namespace } : {}),
    name,
    ...(uid ? { uid } : {}),
    ...(apiVersion ? { apiVersion } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}
