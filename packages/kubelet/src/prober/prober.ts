// Keeps a worker for every probe of every pod and the last verdict of each container. Restarts nothing itself.

import type { Container, Pod } from "@picokube/api/core/v1";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "../cri/runtime.js";
import type { PodLookup, ProbeResult, Prober } from "../parts.js";
import type { ProbedContainer, ProbeMetrics } from "./probe-metrics.js";
import { type ProbeType, ProbeWorker } from "./probe-worker.js";
import { runProbe } from "./run-probe.js";

const freshStartMs = 60_000;

export interface ProberOptions {
  runtime: Runtime;
  lookup: Pick<PodLookup, "state" | "podByUid">;
  events: EventRecorder;
  clock: Clock;
  metrics?: ProbeMetrics;
}

/** Containers that may have probes: regular ones and sidecars. */
function probedContainers(pod: Pod): Container[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars];
}

/** Makes the one Prober of a kubelet. */
export function createProber({ runtime, lookup, events, clock, metrics }: ProberOptions): Prober {
  const begunMs = clock.now();
  const workers = new Map<string, Map<string, ProbeWorker>>();
  const verdicts: Record<ProbeType, Map<string, boolean>> = {
    liveness: new Map(),
    readiness: new Map(),
    startup: new Map(),
  };
  const containersOf = new Map<string, Set<string>>();
  const measured = new Map<string, ProbedContainer[]>();
  const listeners = new Set<(result: ProbeResult) => void>();

  function startWorker(pod: Pod, container: Container, type: ProbeType): ProbeWorker | undefined {
    const probe = container[`${type}Probe`];
    if (!probe) return undefined;
    const podUid = pod.metadata.uid;
    const isInit = pod.spec?.initContainers?.includes(container) ?? false;
    const probed = { pod, container: container.name, type: `${type[0]!.toUpperCase()}${type.slice(1)}` };
    measured.set(podUid, [...(measured.get(podUid) ?? []), probed]);
    const fieldPath = `spec.${isInit ? "initContainers" : "containers"}{${container.name}}`;
    return new ProbeWorker({
      pod,
      container,
      type,
      probe,
      lookup,
      clock,
      run: (which, target) => runProbe(runtime, which, target),
      isStarted: (containerId) => !container.startupProbe || verdicts.startup.get(containerId) === true,
      onContainer(containerId, previousId) {
        if (previousId) verdicts[type].delete(previousId);
        if (type !== "startup") verdicts[type].set(containerId, type === "liveness");
        const ids = containersOf.get(podUid) ?? new Set();
        ids.add(containerId);
        containersOf.set(podUid, ids);
      },
      onVerdict(containerId, success, message) {
        verdicts[type].set(containerId, success);
        const result = { podUid, containerName: container.name, containerId, probe: type, success, message };
        for (const listener of listeners) listener(result);
        // Readiness and liveness begin with the startup probe's success.
        if (type === "startup" && success) {
          for (const other of ["readiness", "liveness"])
            workers.get(podUid)?.get(`${container.name}/${other}`)?.trigger();
        }
      },
      onOutcome: (outcome, durationMs) => metrics?.observe(probed, outcome, durationMs),
      onFailure: (message) => events.record(pod, { type: "Warning", reason: "Unhealthy", message, fieldPath }),
      onWarning: (message) => events.record(pod, { type: "Warning", reason: "ProbeWarning", message, fieldPath }),
      // A restarted kubelet must not probe everything at one moment.
      jitter: clock.now() - begunMs < freshStartMs && pod.status?.phase === "Running" ? Math.random() : 0,
    });
  }

  function stop(podUid: string, wanted: (key: string) => boolean): void {
    const ofPod = workers.get(podUid);
    for (const [key, worker] of ofPod ?? []) {
      if (!wanted(key)) continue;
      worker.stop();
      ofPod?.delete(key);
    }
  }

  return {
    addPod(pod) {
      const podUid = pod.metadata.uid;
      if (workers.has(podUid)) return;
      const ofPod = new Map<string, ProbeWorker>();
      workers.set(podUid, ofPod);
      for (const container of probedContainers(pod)) {
        for (const type of ["startup", "readiness", "liveness"] as const) {
          const worker = startWorker(pod, container, type);
          if (worker) ofPod.set(`${container.name}/${type}`, worker);
        }
      }
    },
    stopLivenessAndStartup: (podUid) => stop(podUid, (key) => !key.endsWith("/readiness")),
    removePod(podUid) {
      stop(podUid, () => true);
      workers.delete(podUid);
      for (const id of containersOf.get(podUid) ?? []) for (const map of Object.values(verdicts)) map.delete(id);
      containersOf.delete(podUid);
      for (const probed of measured.get(podUid) ?? []) metrics?.forget(probed);
      measured.delete(podUid);
    },
    onResult(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    readiness: (containerId) => verdicts.readiness.get(containerId),
    startup: (containerId) => verdicts.startup.get(containerId),
    liveness: (containerId) => verdicts.liveness.get(containerId),
  };
}
