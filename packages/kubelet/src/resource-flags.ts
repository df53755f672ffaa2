// The flags of what pods may use and of what is freed when it runs short: upstream's names, defaults and words. Data alone.

import type { Flag } from "@picokube/component-base/flag-set";

export const resourceFlags = {
  "max-pods": { type: "int", default: 110, description: "Number of Pods that can run on this Kubelet." },
  "pod-max-pids": {
    type: "int",
    default: -1,
    description: "Set the maximum number of processes per pod. If -1, no limit.",
  },
  "cgroup-driver": {
    type: "string",
    description: "Driver that manipulates cgroups on the host: cgroupfs or systemd. If unset, the engine's.",
  },
  "cgroup-root": { type: "string", default: "", description: "Optional root cgroup to use for pods." },
  "cgroups-per-qos": {
    type: "bool",
    default: true,
    description: "Enable creation of QoS cgroup hierarchy: kubepods, and below it burstable and besteffort.",
  },
  "serialize-image-pulls": { type: "bool", default: true, description: "Pull images one at a time." },
  "max-parallel-image-pulls": {
    type: "int",
    description: "How many images are pulled at once when --serialize-image-pulls is false. Unset: no limit.",
  },
  "image-pull-progress-deadline": {
    type: "duration",
    default: "1m",
    description: "If no pulling progress is made before this deadline, the image pulling will be cancelled.",
  },
  "eviction-hard": {
    type: "map",
    separator: "<",
    default: {
      "imagefs.available": "15%",
      "imagefs.inodesFree": "5%",
      "memory.available": "100Mi",
      "nodefs.available": "10%",
      "nodefs.inodesFree": "5%",
    },
    description:
      "A set of eviction thresholds (e.g. memory.available<1Gi) that if met would trigger a pod eviction. A value of 0% switches a threshold off.",
  },
  "eviction-soft": {
    type: "map",
    separator: "<",
    default: {},
    description:
      "A set of eviction thresholds (e.g. memory.available<1.5Gi) that if met over a corresponding grace period would trigger a pod eviction.",
  },
  "eviction-soft-grace-period": {
    type: "map",
    default: {},
    description:
      "A set of eviction grace periods (e.g. memory.available=1m30s) that correspond to how long a soft eviction threshold must hold before triggering a pod eviction.",
  },
  "eviction-minimum-reclaim": {
    type: "map",
    default: {},
    description:
      "A set of minimum reclaims (e.g. imagefs.available=2Gi) that describes the minimum amount of resource the kubelet will reclaim when performing a pod eviction if that resource is under pressure.",
  },
  "eviction-pressure-transition-period": {
    type: "duration",
    default: "5m",
    description:
      "Duration for which the kubelet has to wait before transitioning out of an eviction pressure condition.",
  },
  "eviction-max-pod-grace-period": {
    type: "int",
    default: 0,
    description:
      "Maximum allowed grace period (in seconds) to use when terminating pods in response to a soft eviction threshold being met.",
  },
  "enforce-node-allocatable": {
    type: "string-list",
    default: ["pods"],
    description:
      "A comma separated list of levels of node allocatable enforcement to be enforced by kubelet. Acceptable options are 'none' and 'pods'.",
  },
  "system-reserved": {
    type: "map",
    default: {},
    description:
      "A set of ResourceName=ResourceQuantity pairs that describe resources reserved for non-kubernetes components.",
  },
  "kube-reserved": {
    type: "map",
    default: {},
    description:
      "A set of ResourceName=ResourceQuantity pairs that describe resources reserved for kubernetes system components.",
  },
  "image-gc-high-threshold": {
    type: "int",
    default: 85,
    description: "The percent of disk usage after which image garbage collection is always run.",
  },
  "image-gc-low-threshold": {
    type: "int",
    default: 80,
    description: "The percent of disk usage before which image garbage collection is never run.",
  },
  "minimum-image-ttl-duration": {
    type: "duration",
    default: "2m",
    description: "Minimum age for an unused image before it is garbage collected.",
  },
  "image-maximum-gc-age": {
    type: "duration",
    default: "0s",
    description: "How long an image may be unused before it is garbage collected. 0 switches this off.",
  },
  "container-log-max-size": {
    type: "string",
    default: "10Mi",
    description:
      "Set the maximum size (e.g. 10Mi) of container log file before it is rotated. Negative: no rotation. Holds for the engine's own log too.",
  },
  "container-log-max-files": {
    type: "int",
    default: 5,
    description:
      "Set the maximum number of container log files that can be present for a container. The number must be >= 2.",
  },
  "pods-per-core": {
    type: "int",
    default: 0,
    description:
      "Number of Pods per core that can run on this Kubelet. The total number of Pods on this Kubelet cannot exceed max-pods, so max-pods will be used if this calculation results in a larger number of Pods allowed on the Kubelet. A value of 0 disables this limit.",
  },
  "oom-score-adj": {
    type: "int",
    default: -999,
    description: "The oom-score-adj value for kubelet process. Values must be within the range [-1000, 1000]",
  },
  "fail-swap-on": {
    type: "bool",
    default: true,
    description: "Makes the Kubelet fail to start if swap is enabled on the node.",
  },
  "local-storage-capacity-isolation": {
    type: "bool",
    default: true,
    description:
      "If true, local ephemeral storage isolation is enabled. Otherwise, local storage isolation feature will be disabled",
  },
  "seccomp-default": {
    type: "bool",
    default: false,
    description: "Enable the use of `RuntimeDefault` as the default seccomp profile for all workloads.",
  },
  "volume-stats-agg-period": {
    type: "duration",
    default: "1m",
    description:
      "Specifies interval for kubelet to calculate and cache the volume disk usage for all pods and volumes. To disable volume calculations, set to a negative number.",
  },
  "maximum-dead-containers": {
    type: "int",
    default: -1,
    description:
      "Maximum number of old instances of containers to retain globally. Each container takes up some disk space. To disable, set to a negative number.",
  },
  "maximum-dead-containers-per-container": {
    type: "int",
    default: 1,
    description: "Maximum number of old instances to retain per container. Each container takes up some disk space.",
  },
  "minimum-container-ttl-duration": {
    type: "duration",
    default: "0s",
    description:
      "Minimum age for a finished container before it is garbage collected. Examples: '300ms', '10s' or '2h45m'",
  },
} as const satisfies Record<string, Flag>;
