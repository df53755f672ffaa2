// The flags of leader election that every component with --leader-elect has. Elects nobody.

import type { Flag } from "./flag-set.js";

/** Upstream's flags and defaults; resourceName is the Lease of the component. */
export function leaderElectionFlags(resourceName: string) {
  return {
    "leader-elect": {
      type: "bool",
      default: true,
      description:
        "Start a leader election client and gain leadership before executing the main loop. Enable this when running replicated components for high availability.",
    },
    "leader-elect-lease-duration": {
      type: "duration",
      default: "15s",
      description:
        "The duration that non-leader candidates will wait after observing a leadership renewal until attempting to acquire leadership of a led but unrenewed leader slot.",
    },
    "leader-elect-renew-deadline": {
      type: "duration",
      default: "10s",
      description:
        "The interval between attempts by the acting master to renew a leadership slot before it stops leading. This must be less than the lease duration.",
    },
    "leader-elect-retry-period": {
      type: "duration",
      default: "2s",
      description: "The duration the clients should wait between attempting acquisition and renewal of a leadership.",
    },
    "leader-elect-resource-name": {
      type: "string",
      default: resourceName,
      description: "The name of resource object that is used for locking during leader election.",
    },
    "leader-elect-resource-namespace": {
      type: "string",
      default: "kube-system",
      description: "The namespace of resource object that is used for locking during leader election.",
    },
  } as const satisfies Record<string, Flag>;
}
