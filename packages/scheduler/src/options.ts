// kube-scheduler's flags. A flag of leader election that was given wins over the configuration file.

import type { Flag, FlagValues } from "@picokube/component-base/flag-set";
import { leaderElectionFlags } from "@picokube/component-base/leader-election-flags";
import type { LeaderElection } from "./configuration.js";

export const flags = {
  config: { type: "string", description: "The path to the configuration file (KubeSchedulerConfiguration v1)." },
  kubeconfig: {
    type: "string",
    description: "Path to kubeconfig file with authorization and master location information.",
  },
  "authentication-kubeconfig": {
    type: "string",
    description:
      "kubeconfig file pointing at the 'core' kubernetes server with enough rights to create tokenreviews.authentication.k8s.io. The scheduler's own when empty.",
  },
  "authorization-kubeconfig": {
    type: "string",
    description:
      "kubeconfig file pointing at the 'core' kubernetes server with enough rights to create subjectaccessreviews.authorization.k8s.io. That of authentication when empty.",
  },
  "bind-address": {
    type: "string",
    default: "0.0.0.0",
    description: "The IP address on which to listen for the --secure-port port.",
  },
  "secure-port": {
    type: "int",
    default: 10259,
    description:
      "The port on which to serve HTTPS with authentication and authorization. If 0, don't serve HTTPS at all.",
  },
  "tls-cert-file": {
    type: "string",
    description:
      "File containing the x509 certificate for HTTPS. Without it, and without --tls-private-key-file, nothing is served: no certificate is made up.",
  },
  "tls-private-key-file": {
    type: "string",
    description: "File containing the x509 private key matching --tls-cert-file.",
  },
  "client-ca-file": {
    type: "string",
    description:
      "If set, any request presenting a client certificate signed by one of the authorities in the client-ca-file is authenticated with an identity corresponding to the CommonName of the client certificate.",
  },
  "kube-api-qps": {
    type: "int",
    description: "QPS to use while talking with the kubernetes apiserver; unlimited when not given.",
  },
  "kube-api-burst": { type: "int", description: "Burst to use while talking with the kubernetes apiserver." },
  ...leaderElectionFlags("kube-scheduler"),
} as const satisfies Record<string, Flag>;

/** The file's leader election with the flags that were given laid over it. */
export function leaderElectionOf(
  file: LeaderElection,
  values: FlagValues<typeof flags>,
  changed: ReadonlySet<string>,
): LeaderElection {
  const pick = <T>(flag: string, given: T, configured: T): T => (changed.has(flag) ? given : configured);
  return {
    leaderElect: pick("leader-elect", values.leaderElect, file.leaderElect),
    leaseDurationMs: pick("leader-elect-lease-duration", values.leaderElectLeaseDuration, file.leaseDurationMs),
    renewDeadlineMs: pick("leader-elect-renew-deadline", values.leaderElectRenewDeadline, file.renewDeadlineMs),
    retryPeriodMs: pick("leader-elect-retry-period", values.leaderElectRetryPeriod, file.retryPeriodMs),
    resourceName: pick("leader-elect-resource-name", values.leaderElectResourceName, file.resourceName),
    resourceNamespace: pick(
      "leader-elect-resource-namespace",
      values.leaderElectResourceNamespace,
      file.resourceNamespace,
    ),
  };
}
