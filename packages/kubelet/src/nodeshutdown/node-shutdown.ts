// Ends the node's pods in order before the machine goes down (upstream's node shutdown manager). Upstream is told by
// systemd-logind; here a SIGPWR tells it, as an init or a UPS daemon sends when power is going.

import type { Pod } from "@picokube/api/core/v1";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Refusal } from "../pods/admission.js";
import type { Verdict } from "../pods/verdict.js";
import { graceOf, groupByPriority, type ShutdownGroup, type ShutdownPeriod } from "./shutdown-groups.js";

const pollMs = 100;
const message = "Pod was terminated in response to imminent node shutdown.";

export interface NodeShutdown {
  /** Empty, or why the node is not ready. */
  problems(): string[];
  refusal(): Refusal | undefined;
  /** Ends all pods, group by group; resolves when the last group has gone or had its time. Once only. */
  shutDown(signal: AbortSignal): Promise<void>;
}

export interface NodeShutdownOptions {
  readonly nodeName: string;
  readonly periods: readonly ShutdownPeriod[];
  readonly pods: {
    active(): Pod[];
    end(podUid: string, verdict: Verdict): void;
    cleanedUp(podUid: string): boolean;
  };
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes the one NodeShutdown of a kubelet. */
export function createNodeShutdown(options: NodeShutdownOptions): NodeShutdown {
  const { nodeName, periods, pods, clock, logger } = options;
  const node = { apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeName };
  let isShuttingDown = false;

  function end(pod: Pod, group: ShutdownGroup): void {
    const graceSeconds = graceOf(pod, group);
    logger.v(1).info("Shutdown manager killing pod with gracePeriod", {
      pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
      gracePeriod: graceSeconds,
    });
    const condition = { type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message } as const;
    pods.end(pod.metadata.uid, {
      phase: "Failed",
      reason: "Terminated",
      message,
      graceSeconds,
      conditions: [condition],
    });
  }

  async function endGroup(group: ShutdownGroup, signal: AbortSignal): Promise<void> {
    const { priority, shutdownGracePeriodSeconds: gracePeriod } = group;
    for (const pod of group.pods) end(pod, group);
    const untilMs = clock.now() + gracePeriod * 1000;
    while (!signal.aborted) {
      if (group.pods.every(({ metadata }) => pods.cleanedUp(metadata.uid))) {
        logger.v(1).info("Done waiting for all pods in group to terminate", { gracePeriod, priority });
        return;
      }
      if (clock.now() >= untilMs) {
        logger.v(1).info("Shutdown manager pod killing time out", { gracePeriod, priority });
        return;
      }
      await clock.sleep(pollMs, signal).catch(() => undefined);
    }
  }

  return {
    problems: () => (isShuttingDown ? ["node is shutting down"] : []),
    refusal: () =>
      isShuttingDown
        ? { reason: "NodeShutdown", message: "Pod was rejected as the node is shutting down." }
        : undefined,
    async shutDown(signal) {
      if (isShuttingDown) return;
      if (periods.length === 0) {
        logger.info("No graceful configuration specified, node shutdown will be immediate");
        return;
      }
      isShuttingDown = true;
      logger.v(1).info("Shutdown manager detected new shutdown event", { event: "shutdown" });
      const words = "Shutdown manager detected shutdown event";
      options.events.record(node, { type: "Normal", reason: "NodeShutdown", message: words });
      for (const group of groupByPriority(periods, pods.active())) {
        if (group.pods.length > 0) await endGroup(group, signal);
      }
      logger.v(1).info("Shutdown manager completed processing shutdown event, node will shutdown shortly");
    },
  };
}
