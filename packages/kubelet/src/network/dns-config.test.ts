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
    t.equal(resolvConfText(podDnsConfig(pod(spec), surroundings)), expected, name);
  }
});
