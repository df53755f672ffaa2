// resolv.conf by policy.

import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { parseResolvConf, podDnsConfig, resolvConfText } from "./dns-config.js";

const surroundings = {
  clusterDns: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  host: parseResolvConf("nameserver 1.1.1.1\nnameserver 8.8.8.8\nsearch lan. corp\noptions edns0\n"),
};
const clusterSearch = "search dev.svc.cluster.local svc.cluster.local cluster.local lan corp";

function pod(spec: object): Pod {
  return {
    metadata: { name: "p", namespace: "dev", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec,
  } as Pod;
}

test("resolv.conf by dnsPolicy", async (t) => {
  const table: [string, object, string][] = [
    ["ClusterFirst is the default", {}, `${clusterSearch}\nnameserver 10.96.0.10\noptions ndots:5\n`],
    [
      "Default is the host's",
      { dnsPolicy: "Default" },
      "search lan corp\nnameserver 1.1.1.1\nnameserver 8.8.8.8\noptions edns0\n",
    ],
    [
      "ClusterFirst on the host's network is Default",
      { dnsPolicy: "ClusterFirst", hostNetwork: true },
      "search lan corp\nnameserver 1.1.1.1\nnameserver 8.8.8.8\noptions edns0\n",
    ],
    [
      "ClusterFirstWithHostNet",
      { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true },
      `${clusterSearch}\nnameserver 10.96.0.10\noptions ndots:5\n`,
    ],
    [
      "None takes dnsConfig alone",
      {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["9.9.9.9"], searches: ["x"], options: [{ name: "ndots", value: "2" }] },
      },
      "search x\nnameserver 9.9.9.9\noptions ndots:2\n",
    ],
    [
      "dnsConfig adds and overrides",
      {
        dnsConfig: {
          nameservers: ["9.9.9.9", "10.96.0.10"],
          searches: ["corp", "x"],
          options: [{ name: "ndots", value: "2" }, { name: "rotate" }],
        },
      },
      `${clusterSearch} x\nnameserver 10.96.0.10\nnameserver 9.9.9.9\noptions ndots:2 rotate\n`,
    ],
  ];
  for (const [name, spec, expected] of table) {
    const { config, warnings } = podDnsConfig(pod(spec), surroundings);
    t.equal(resolvConfText(config), expected, name);
    t.same(warnings, [], name);
  }
});

test("what resolvers could not take is cut, and told", async (t) => {
  const names = (count: number, length = 4) => Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, "x"));
  const wish = (dnsConfig: object) => podDnsConfig(pod({ dnsPolicy: "None", dnsConfig }), surroundings);
  const searchWords =
    "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ";
  const message =
    "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ";
  const four = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"];
  const servers = wish({ nameservers: four });
  t.same(servers.config.servers, four.slice(0, 3));
  t.same(servers.warnings, [{ reason: "DNSConfigForming", message: `${message}1.1.1.1 2.2.2.2 3.3.3.3` }]);
  for (const [searches, kept] of [
    [names(32), 32],
    [names(33), 32],
    [names(8, 253), 8],
    [names(9, 253), 8],
    [[...names(2), "y".repeat(254)], 2],
  ] as const) {
    const { config, warnings } = wish({ searches });
    t.same(config.searches, searches.slice(0, kept));
    const told = { reason: "DNSConfigForming", message: `${searchWords}${config.searches.join(" ")}` };
    t.same(warnings, kept === searches.length ? [] : [told]);
  }
});

test("a kubelet without DNS servers of the cluster, or without a file of the host's", async (t) => {
  const lost = podDnsConfig(pod({}), { ...surroundings, clusterDns: [] });
  t.same(lost.config, surroundings.host);
  const words =
    'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
  t.same(lost.warnings, [{ reason: "MissingClusterDNS", message: `pod: "p_dev(u)". ${words}` }]);
  t.same(podDnsConfig(pod({ dnsPolicy: "Default" }), { ...surroundings, clusterDns: [] }).warnings, []);
  const alone = { ...surroundings, host: undefined };
  t.same(podDnsConfig(pod({ dnsPolicy: "Default" }), alone).config, {
    servers: ["127.0.0.1"],
    searches: ["."],
    options: [],
  });
  t.same(podDnsConfig(pod({}), alone).config.searches, ["dev.svc.cluster.local", "svc.cluster.local", "cluster.local"]);
});
