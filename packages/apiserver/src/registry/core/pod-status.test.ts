// Tests of what READY, STATUS and RESTARTS say.

import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { summarizePod } from "./pod-status.js";

const now = Date.parse("2026-01-01T01:00:00Z");
const finishedAt = "2026-01-01T00:55:00Z";

function pod(parts: { status: unknown; initContainers?: unknown; deleting?: boolean }): Pod {
  return {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: finishedAt,
      ...(parts.deleting ? { deletionTimestamp: finishedAt } : {}),
    },
    spec: { containers: [{ name: "a" }, { name: "b" }], initContainers: parts.initContainers ?? [] },
    status: parts.status,
  } as Pod;
}

const running = (name: string, ready = true) => ({ name, ready, restartCount: 0, state: { running: {} } });
const waiting = (name: string, reason: string) => ({
  name,
  ready: false,
  restartCount: 3,
  state: { waiting: { reason } },
});
const ended = (name: string, exitCode: number, reason = "") => ({
  name,
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, reason } },
});

const cases: [string, Pod, { ready: string; reason: string; restarts: string }][] = [
  ["a new pod", pod({ status: { phase: "Pending" } }), { ready: "0/2", reason: "Pending", restarts: "0" }],
  [
    "all run",
    pod({ status: { phase: "Running", containerStatuses: [running("a"), running("b")] } }),
    { ready: "2/2", reason: "Running", restarts: "0" },
  ],
  [
    "one crashes",
    pod({
      status: {
        phase: "Running",
        containerStatuses: [
          running("a"),
          { ...waiting("b", "CrashLoopBackOff"), lastState: { terminated: { exitCode: 1, finishedAt } } },
        ],
      },
    }),
    { ready: "1/2", reason: "CrashLoopBackOff", restarts: "3 (5m ago)" },
  ],
  [
    "one has completed, one runs",
    pod({
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "False" }],
        containerStatuses: [ended("a", 0, "Completed"), running("b")],
      },
    }),
    { ready: "1/2", reason: "NotReady", restarts: "0" },
  ],
  [
    "exit code without a reason",
    pod({ status: { phase: "Failed", containerStatuses: [ended("a", 3), ended("b", 0)] } }),
    { ready: "0/2", reason: "ExitCode:3", restarts: "0" },
  ],
  [
    "the second init container runs",
    pod({
      initContainers: [{ name: "i" }, { name: "j" }],
      status: {
        phase: "Pending",
        initContainerStatuses: [ended("i", 0, "Completed"), running("j", false)],
        containerStatuses: [waiting("a", "PodInitializing")],
      },
    }),
    { ready: "0/2", reason: "Init:1/2", restarts: "0" },
  ],
  [
    "an init container fails",
    pod({
      initContainers: [{ name: "i" }],
      status: { phase: "Pending", initContainerStatuses: [ended("i", 1, "Error")] },
    }),
    { ready: "0/2", reason: "Init:Error", restarts: "0" },
  ],
  [
    "a sidecar counts as a container",
    pod({
      initContainers: [{ name: "s", restartPolicy: "Always" }],
      status: {
        phase: "Running",
        conditions: [{ type: "Initialized", status: "True" }],
        initContainerStatuses: [{ ...running("s"), started: true }],
        containerStatuses: [running("a"), running("b")],
      },
    }),
    { ready: "3/3", reason: "Running", restarts: "0" },
  ],
  [
    "gated",
    pod({ status: { phase: "Pending", conditions: [{ type: "PodScheduled", reason: "SchedulingGated" }] } }),
    { ready: "0/2", reason: "SchedulingGated", restarts: "0" },
  ],
  [
    "being deleted",
    pod({ deleting: true, status: { phase: "Running", containerStatuses: [running("a"), running("b")] } }),
    { ready: "2/2", reason: "Terminating", restarts: "0" },
  ],
  [
    "its node is lost",
    pod({ deleting: true, status: { phase: "Running", reason: "NodeLost" } }),
    { ready: "0/2", reason: "Unknown", restarts: "0" },
  ],
];

for (const [name, object, expected] of cases) {
  test(`a pod's summary: ${name}`, (t) => {
    t.strictSame(summarizePod(object, now), expected);
    t.end();
  });
}
