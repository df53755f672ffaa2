// Keeps the Node object true to this machine: registration, status, Lease. Never touches pods.

import { type Node, nodes } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import { runLeaseRenewal } from "@picokube/client/lease";
import { exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Runtime } from "../cri/runtime.js";
import type { PressureCondition } from "../eviction/signals.js";
import type { KubeletSettings, NodeAgent, RuntimeHealth } from "../parts.js";
import { readMachine } from "./machine.js";
import { conditionEventReason } from "./node-conditions.js";
import { heartbeatPatch, nodeStatus, nodeStatusPatch } from "./node-status.js";
import { registerNode } from "./registration.js";

const fastPollMs = 100;
const healthPollMs = 1_000;
/** So that many nodes that started at once do not report at once. */
const updateJitter = 0.04;

export interface NodeAgentOptions {
  settings: KubeletSettings;
  client: Client;
  runtime: Runtime;
  health: RuntimeHealth;
  pressures: () => readonly PressureCondition[];
  events: EventRecorder;
  clock: Clock;
  logger: Logger;
}

/** Makes the one NodeAgent of a kubelet. */
export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { settings, client, runtime, health, pressures, events, clock, logger } = options;
  const name = { name: settings.nodeName };
  let known: Node | undefined;
  let reportedAtMs = 0;
  /** Upstream's calculateDelay: after a change the next report without one comes up to half a period sooner or later. */
  let reportDelayMs = 0;

  /** Upstream's node events name the node where the uid belongs. */
  const reference = () => ({ apiVersion: "v1", kind: "Node", name: settings.nodeName, uid: settings.nodeName });

  async function register(signal: AbortSignal): Promise<void> {
    const retry = exponential({ initialMs: fastPollMs, maxMs: 7_000 });
    while (!known && !signal.aborted) {
      try {
        known = settings.registerNode
          ? await registerNode(client, settings, signal)
          : await client.get(nodes, name, { signal });
        logger.info("Successfully registered node", { node: settings.nodeName });
      } catch (err) {
        if (signal.aborted) return;
        logger.info("Unable to register node with API server", { node: settings.nodeName, err });
        await clock.sleep(retry.next(), signal).catch(() => undefined);
      }
    }
  }

  async function report(machine: Awaited<ReturnType<typeof readMachine>>, signal: AbortSignal): Promise<void> {
    // The condition of others and a node's being made anew are seen only by asking.
    const current = await client.get(nodes, name, { signal });
    const now = clock.now();
    const status = await nodeStatus(
      { settings, machine, runtime, health, pressures, clock },
      current.status ?? {},
      now,
    );
    const due = now - reportedAtMs >= settings.nodeStatusReportFrequencyMs + reportDelayMs;
    const changes = nodeStatusPatch(current, status);
    const patch = changes ?? (due ? heartbeatPatch(status) : undefined);
    known = current;
    if (!patch) return;
    known = await client.patch(nodes, name, { status: patch }, { type: "strategic", subresource: "status", signal });
    reportedAtMs = now;
    reportDelayMs = changes ? settings.nodeStatusReportFrequencyMs * (Math.random() - 0.5) : 0;
    for (const condition of status.conditions ?? []) {
      const old = current.status?.conditions?.find(({ type }) => type === condition.type);
      if (old?.status === condition.status) continue;
      const reason = conditionEventReason(condition);
      const message = `Node ${settings.nodeName} status is now: ${reason}`;
      events.record(reference(), { type: "Normal", reason, message });
    }
  }

  const isReady = () => known?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  const healthWords = () => [...health.problems(), ...health.networkProblems(), ...pressures()].join("\n");

  /** Waits for the next report: its time has come, or the node's health has changed. */
  async function untilDue(reportedHealth: string, failed: boolean, signal: AbortSignal): Promise<void> {
    const periodMs = settings.nodeStatusUpdateFrequencyMs * (1 + updateJitter * Math.random());
    const untilMs = clock.now() + (failed ? healthPollMs : periodMs);
    while (!signal.aborted && clock.now() < untilMs) {
      await clock.sleep(isReady() ? healthPollMs : fastPollMs, signal).catch(() => undefined);
      if (!failed && healthWords() !== reportedHealth) return;
    }
  }

  async function keepStatus(signal: AbortSignal): Promise<void> {
    const machine = await readMachine();
    while (!signal.aborted) {
      const reportedHealth = healthWords();
      let failed = false;
      try {
        await report(machine, signal);
      } catch (err) {
        if (signal.aborted) return;
        failed = true;
        logger.error("Error updating node status, will retry", { node: settings.nodeName, err });
      }
      await untilDue(reportedHealth, failed, signal);
    }
  }

  return {
    async run(signal) {
      events.record(reference(), { type: "Normal", reason: "Starting", message: "Starting kubelet." });
      await register(signal);
      const lease = runLeaseRenewal({
        client,
        holder: settings.nodeName,
        leaseDurationSeconds: settings.nodeLeaseDurationSeconds,
        owner: () => known && { apiVersion: "v1", kind: "Node", name: known.metadata.name, uid: known.metadata.uid },
        clock,
        logger,
        signal,
      });
      await Promise.all([keepStatus(signal), lease]);
    },
  };
}
