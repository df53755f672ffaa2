// cluster-dns's flags, as data.

import type { Flag } from "@picokube/component-base/flag-set";

export const dnsFlags = {
  kubeconfig: {
    type: "string",
    default: "",
    description: "Path to a kubeconfig that may list and watch services, endpointslices and namespaces.",
  },
  "cluster-domain": {
    type: "string",
    default: "cluster.local",
    description: "The domain that this server is authoritative for.",
  },
  "bind-address": { type: "string", default: "0.0.0.0", description: "The IP address to serve DNS on." },
  port: { type: "int", default: 10053, description: "The UDP and TCP port to serve DNS on." },
  ttl: { type: "int", default: 30, description: "Seconds that clients may keep an answer of the cluster's." },
  "pod-names": {
    type: "string",
    default: "insecure",
    choices: ["disabled", "insecure", "verified"],
    description:
      'How names like 1-2-3-4.default.pod.cluster.local are answered: "insecure" for any address, "verified" if the namespace has a pod with that address (watches all pods), "disabled" never.',
  },
  "resolv-conf": {
    type: "string",
    default: "/etc/resolv.conf",
    description: "File whose nameservers other names are forwarded to.",
  },
  "stub-domains": {
    type: "string-list",
    default: [],
    description:
      "Domains that have resolvers of their own, as <domain>=<address>[:<port>]; a domain that is given several times has several.",
  },
  "cache-ttl": {
    type: "int",
    default: 30,
    description: "Seconds that a resolver's answer is kept at most. 0 keeps none.",
  },
  "max-concurrent": {
    type: "int",
    default: 1000,
    description: "The most questions that may be under way to resolvers; further ones are refused.",
  },
  lameduck: {
    type: "duration",
    default: "0s",
    description: "How long to go on answering, though not ready any more, after being told to stop.",
  },
  "health-bind-address": {
    type: "string",
    default: "127.0.0.1",
    description: "The IP address to serve health and metrics on.",
  },
  "health-port": { type: "int", default: 10054, description: "The port to serve health and metrics on." },
  "metrics-bind-address": {
    type: "string",
    default: "",
    description:
      "The <address>:<port> to serve metrics on besides the health port, for those who scrape the kube-dns Service. Empty for none.",
  },
} as const satisfies Record<string, Flag>;
