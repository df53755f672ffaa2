// Pods that come into each state a real engine can bring them into, and what the API is to show of each. Imported by tests
// alone.

import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";

/** A pod whose one container runs the script. */
export const shell = (script: string, more: Partial<Container> = {}): Partial<PodSpec> => ({
  containers: [
    { name: "c", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sh", "-c", script], ...more },
  ],
});
/** Restarts nothing. */
export const never: Partial<PodSpec> = { restartPolicy: "Never" };
/** Each condition in one line: status, reason, message. */
export const conditionsOf = (pod: Pod): Record<string, string> =>
  Object.fromEntries(
    (pod.status?.conditions ?? []).map(({ type, status, reason, message }) => [
      type,
      [status, ...(reason ? [reason] : []), ...(message ? [message] : [])].join(" "),
    ]),
  );
const unready = "False ContainersNotReady containers with unready status: [c]";
const waits = { PodReadyToStartContainers: "True", Initialized: "True", Ready: unready, ContainersReady: unready };
const waitsForSandbox = { ...waits, PodReadyToStartContainers: "False" };
const failed = { Initialized: "True", Ready: "False PodFailed", ContainersReady: "False PodFailed" };
/** A handler that runs the script. */
export const exec = (script: string) => ({ exec: { command: ["sh", "-c", script] } });

/** One pod, and what there is to see of it. */
export interface PodReason {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  /** What is looked at: the status with this phase, or this reason for which the container waits. */
  readonly at: string;
  /** A reason that was shown before. */
  readonly before?: string;
  readonly state: object;
  readonly lastState?: object;
  readonly restarts?: number;
  /** Of the whole pod: reason and message. */
  readonly status?: object;
  readonly phase: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly events?: readonly RegExp[];
}

/** A pod for each reason that a real engine can bring a container into. */
export const podReasons: readonly PodReason[] = [
  {
    name: "completed",
    spec: { ...shell("exit 0"), ...never },
    at: "Succeeded",
    state: {
      terminated: { exitCode: 0, reason: "Completed", startedAt: /^2/, finishedAt: /^2/, containerID: /^docker:/ },
    },
    phase: "Succeeded",
    conditions: {
      PodReadyToStartContainers: "False",
      Initialized: "True PodCompleted",
      Ready: "False PodCompleted",
      ContainersReady: "False PodCompleted",
      PodScheduled: "True",
    },
  },
  {
    name: "error",
    spec: { ...shell("seq 100; exit 3", { terminationMessagePolicy: "FallbackToLogsOnError" }), ...never },
    at: "Failed",
    state: { terminated: { exitCode: 3, reason: "Error", message: /^21\n22\n(\d+\n)*100\n$/ } },
    phase: "Failed",
    conditions: failed,
  },
  {
    name: "long-words",
    spec: {
      ...shell("head -c 5000 /dev/zero | tr '\\0' x > /said; exit 1", { terminationMessagePath: "/said" }),
      ...never,
    },
    at: "Failed",
    state: { terminated: { message: "x".repeat(4096) } },
    phase: "Failed",
    conditions: failed,
  },
  {
    name: "memory",
    spec: { ...shell("tail /dev/zero", { resources: { limits: { memory: "16Mi" } } }), ...never },
    at: "Failed",
    state: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    phase: "Failed",
    conditions: failed,
  },
  {
    name: "crash",
    spec: shell("exit 1"),
    at: "CrashLoopBackOff",
    state: { waiting: { message: /^back-off 10s restarting failed container=c pod=crash_default\([-0-9a-f]+\)$/ } },
    lastState: { terminated: { exitCode: 1, reason: "Error" } },
    restarts: 1,
    phase: "Running",
    conditions: waits,
    events: [/^BackOff: Back-off restarting failed container c in pod crash_default\([-0-9a-f]+\)$/m],
  },
  {
    name: "no-config",
    spec: shell("exit 0", { env: [{ name: "KEY", valueFrom: { configMapKeyRef: { name: "none", key: "k" } } }] }),
    at: "CreateContainerConfigError",
    state: { waiting: { message: 'configmap "none" not found' } },
    phase: "Pending",
    conditions: waits,
    events: [/^Failed: Error: configmap "none" not found$/m],
  },
  {
    name: "bad-directory",
    spec: shell("exit 0", { workingDir: "not/absolute" }),
    at: "CreateContainerError",
    state: { waiting: { message: /needs to be an absolute path/ } },
    phase: "Pending",
    conditions: waits,
    events: [/^Failed: Error: .*needs to be an absolute path$/m],
  },
  {
    name: "no-program",
    spec: shell("", { command: ["/no/such/program"] }),
    at: "RunContainerError",
    state: { waiting: { message: /no such file or directory/ } },
    lastState: { terminated: { exitCode: 127, reason: "ContainerCannotRun", message: /no such file or directory/ } },
    phase: "Running",
    conditions: waits,
    events: [/^Created: Created container: c$/m, /^Failed: Error: .*no such file or directory/m],
  },
  {
    name: "hook",
    spec: shell("trap 'exit 0' TERM; while true; do sleep 0.1; done", {
      lifecycle: { postStart: exec("sleep 2; echo oops >&2; exit 9") },
    }),
    at: "PostStartHookError",
    state: {
      waiting: {
        message:
          /^Exec lifecycle hook \(\[sh -c sleep 2; echo oops >&2; exit 9\]\) for Container "c" in Pod "hook_default\([-0-9a-f]+\)" failed - error: command 'sh -c sleep 2; echo oops >&2; exit 9' exited with 9: oops\n, message: "oops\\n"$/,
      },
    },
    lastState: { terminated: { containerID: /^docker:/ } },
    phase: "Running",
    conditions: waits,
    events: [/^FailedPostStartHook: PostStartHook failed$/m, /^Killing: FailedPostStartHook$/m],
  },
  {
    name: "never-pulled",
    spec: shell("exit 0", { image: "picokube-test.invalid/none:1", imagePullPolicy: "Never" }),
    at: "ErrImageNeverPull",
    state: {
      waiting: {
        message: 'Container image "picokube-test.invalid/none:1" is not present with pull policy of Never',
      },
    },
    phase: "Pending",
    conditions: waits,
    events: [/^ErrImageNeverPull: Container image .* is not present/m, /^Failed: Error: ErrImageNeverPull$/m],
  },
  {
    name: "no-registry",
    spec: shell("exit 0", { image: "127.0.0.1:1/none:1" }),
    at: "ImagePullBackOff",
    before: "ErrImagePull",
    state: {
      waiting: { message: /^Back-off pulling image "127\.0\.0\.1:1\/none:1": ErrImagePull: .*connection refused/ },
    },
    phase: "Pending",
    conditions: waits,
    events: [
      /^Pulling: Pulling image "127\.0\.0\.1:1\/none:1"$/m,
      /^Failed: Failed to pull image "127\.0\.0\.1:1\/none:1": .*connection refused/m,
      /^Failed: Error: ErrImagePull$/m,
      /^BackOff: Back-off pulling image "127\.0\.0\.1:1\/none:1"$/m,
      /^Failed: Error: ImagePullBackOff$/m,
    ],
  },
  {
    name: "no-name",
    spec: shell("exit 0", { image: "127.0.0.1:1/Team/App:1" }),
    at: "InvalidImageName",
    state: {
      waiting: {
        message:
          'Failed to apply default image tag "127.0.0.1:1/Team/App:1": couldn\'t parse image name "127.0.0.1:1/Team/App:1": invalid reference format: repository name (Team/App) must be lowercase',
      },
    },
    phase: "Pending",
    conditions: waits,
    events: [/^InspectFailed: Failed to apply default image tag/m, /^Failed: Error: InvalidImageName$/m],
  },
  {
    name: "no-sandbox",
    spec: { ...shell("exit 0"), hostUsers: false },
    at: "ContainerCreating",
    state: { waiting: { reason: "ContainerCreating" } },
    phase: "Pending",
    conditions: waitsForSandbox,
    events: [/^FailedCreatePodSandBox: Failed to create pod sandbox: .*user namespaces/m],
  },
  {
    name: "init",
    spec: {
      ...shell("exit 0"),
      initContainers: [{ name: "first", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["false"] }],
    },
    at: "PodInitializing",
    state: { waiting: { reason: "PodInitializing" } },
    phase: "Pending",
    conditions: {
      ...waits,
      Initialized: "False ContainersNotInitialized containers with incomplete status: [first]",
    },
  },
  {
    name: "deadline",
    spec: { ...shell("trap 'exit 5' TERM; while true; do sleep 0.1; done"), activeDeadlineSeconds: 1 },
    at: "Failed",
    // On a busy machine the container may never have started.
    state: { terminated: {} },
    status: {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    },
    phase: "Failed",
    conditions: failed,
    events: [/^DeadlineExceeded: Pod was active on the node longer than the specified deadline$/m],
  },
];
