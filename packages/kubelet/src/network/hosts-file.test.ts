// Names of pods and their /etc/hosts.

import type { Pod, PodSpec } from "@picokube/api/core/v1";
import { test } from "tap";
import { hostsFileText, kernelHostname, podDomainName, podHostname } from "./hosts-file.js";

const clusterDomain = "cluster.local";
const named = (name: string, spec: Partial<PodSpec> = {}) =>
  ({ metadata: { name, namespace: "dev", uid: "u" }, spec }) as unknown as Pod;

test("names", (t) => {
  for (const [pod, hostname, domainName, kernelName] of [
    [named("web"), "web", "", "web"],
    [named("web", { hostname: "front" }), "front", "", "front"],
    [named("web", { subdomain: "site" }), "web", "web.site.dev.svc.cluster.local", "web"],
    [named("web", { setHostnameAsFQDN: true }), "web", "", "web"],
    [
      named("web", { hostname: "front", subdomain: "site", setHostnameAsFQDN: true }),
      "front",
      "front.site.dev.svc.cluster.local",
      "front.site.dev.svc.cluster.local",
    ],
    [named(`${"a".repeat(62)}-bc`), "a".repeat(62), "", "a".repeat(62)],
  ] as const) {
    t.equal(podHostname(pod), hostname);
    t.equal(podDomainName(pod, clusterDomain), domainName);
    t.equal(kernelHostname(pod, clusterDomain), kernelName);
  }
  const fits = named("x".repeat(64 - ".site.dev.svc.cluster.local".length), {
    subdomain: "site",
    setHostnameAsFQDN: true,
  });
  t.equal(kernelHostname(fits, clusterDomain).length, 64);
  const long = named(`x${fits.metadata.name}`, { subdomain: "site", setHostnameAsFQDN: true });
  t.throws(() => kernelHostname(long, clusterDomain), {
    message: `failed to construct FQDN from pod hostname and cluster domain, FQDN ${long.metadata.name}.site.dev.svc.cluster.local is too long (64 characters is the max, 65 characters requested)`,
  });
  t.end();
});

test("/etc/hosts", (t) => {
  const hostAliases = [
    { ip: "10.1.2.3", hostnames: ["a", "b"] },
    { ip: "10.1.2.4", hostnames: ["c"] },
  ];
  const of = (pod: Pod) =>
    hostsFileText({ pod, podIps: ["10.244.0.7", "fd00::7"], clusterDomain, nodeHosts: "127.0.0.1\tlocalhost\n" });
  const local = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
  ];
  const aliases = ["", "# Entries added by HostAliases.", "10.1.2.3\ta\tb", "10.1.2.4\tc", ""];
  t.same(of(named("web")).split("\n"), [...local, "10.244.0.7\tweb", "fd00::7\tweb", ""]);
  const full = "web.site.dev.svc.cluster.local\tweb";
  t.same(of(named("web", { subdomain: "site", hostAliases })).split("\n"), [
    ...local,
    `10.244.0.7\t${full}`,
    `fd00::7\t${full}`,
    ...aliases,
  ]);
  t.same(of(named("web", { hostNetwork: true, hostAliases })).split("\n"), [
    "# Kubernetes-managed hosts file (host network).",
    "127.0.0.1\tlocalhost",
    ...aliases,
  ]);
  t.end();
});
