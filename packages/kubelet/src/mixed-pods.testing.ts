// Pods of every fate, each as small as it can be, and how to know that one has met its own. Imported by leaks.integration.

import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";
import { isReady } from "./kubelet.testing.js";

interface Fate {
  readonly name: string;
  spec(index: number): Partial<PodSpec>;
  /** Undefined: it is deleted at once, somewhere in its start. */
  readonly isMet?: (pod: Pod) => boolean;
}

/** Ends at once when told to, and costs nothing while it waits. */
const container: Container = {
  name: "c",
  image: "busybox",
  imagePullPolicy: "Never",
  command: ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"],
};
const of = (change: Partial<Container>): Partial<PodSpec> => ({ containers: [{ ...container, ...change }] });
const stateOf = ({ status }: Pod) => status?.containerStatuses?.[0];
// A busy machine may take long for an exec.
const executes = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 200 };

export const fates: readonly Fate[] = [
  {
    name: "volumes",
    spec: () => ({
      ...of({
        volumeMounts: [
          { name: "memory", mountPath: "/memory" },
          { name: "disk", mountPath: "/disk", subPath: "inner" },
          { name: "all", mountPath: "/all" },
        ],
      }),
      volumes: [
        { name: "memory", emptyDir: { medium: "Memory" } },
        { name: "disk", emptyDir: {} },
        {
          name: "all",
          projected: {
            sources: [{ serviceAccountToken: { path: "token" } }, { configMap: { name: "settings" } }],
          },
        },
      ],
    }),
    isMet: isReady,
  },
  {
    name: "port",
    spec: (index) => of({ ports: [{ containerPort: 80, hostPort: 38_100 + index }] }),
    isMet: isReady,
  },
  {
    name: "probed",
    spec: () =>
      of({
        readinessProbe: executes,
        livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1000 },
        resources: { limits: { memory: "32Mi", cpu: "500m" }, requests: { memory: "1Mi", cpu: "1m" } },
        lifecycle: { preStop: { exec: { command: ["true"] } } },
      }),
    isMet: isReady,
  },
  {
    name: "imageless",
    spec: () => of({ image: "absent:v1" }),
    isMet: (pod) => stateOf(pod)?.state?.waiting?.reason === "ErrImageNeverPull",
  },
  {
    name: "crashing",
    spec: () => of({ command: ["false"] }),
    isMet: (pod) => stateOf(pod)?.state?.waiting?.reason === "CrashLoopBackOff",
  },
  {
    name: "done",
    spec: () => ({ ...of({ command: ["true"] }), restartPolicy: "Never" }),
    isMet: ({ status }) => status?.phase === "Succeeded",
  },
  {
    name: "initialized",
    spec: () => ({ ...of({}), initContainers: [{ ...container, name: "init", command: ["true"] }] }),
    isMet: isReady,
  },
  { name: "hasty", spec: () => of({}) },
];
