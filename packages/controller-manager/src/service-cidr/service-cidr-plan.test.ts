// Whether a ServiceCIDR may go.

import { type IPAddress, ipaddresses, type ServiceCIDR, servicecidrs } from "@picokube/api/networking/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { canGo, havingAddress, overlapping } from "./service-cidr-plan.js";

const cidr = (name: string, ...cidrs: string[]): ServiceCIDR =>
  object(servicecidrs, name, { spec: { cidrs } } as object);
const address = (ip: string, manager = "ipallocator.k8s.io"): IPAddress =>
  object(ipaddresses, ip, { metadata: { labels: { "ipaddress.kubernetes.io/managed-by": manager } } });
const names = (all: readonly ServiceCIDR[]) => all.map(({ metadata }) => metadata.name);

test("a range may go when another has it, or no Service has an address of it alone", (t) => {
  const small = cidr("small", "10.96.0.0/28");
  const cases: [string, boolean, { cidr: ServiceCIDR; others?: ServiceCIDR[]; addresses?: IPAddress[] }][] = [
    ["empty", true, { cidr: small }],
    ["in use", false, { cidr: small, addresses: [address("10.96.0.5")] }],
    ["another's use", true, { cidr: small, addresses: [address("10.96.0.5", "somebody")] }],
    ["addresses elsewhere", true, { cidr: small, addresses: [address("10.97.0.5")] }],
    [
      "network and broadcast addresses",
      true,
      { cidr: small, addresses: [address("10.96.0.0"), address("10.96.0.15")] },
    ],
    [
      "within a larger one",
      true,
      { cidr: small, others: [cidr("large", "10.96.0.0/16")], addresses: [address("10.96.0.5")] },
    ],
    ["its twin", true, { cidr: small, others: [cidr("twin", "10.96.0.0/28")], addresses: [address("10.96.0.5")] }],
    [
      "around a smaller one that has the address",
      true,
      { cidr: cidr("large", "10.96.0.0/16"), others: [small], addresses: [address("10.96.0.5")] },
    ],
    [
      "around a smaller one that has not",
      false,
      { cidr: cidr("large", "10.96.0.0/16"), others: [small], addresses: [address("10.96.1.5")] },
    ],
    [
      "one family of two within another",
      false,
      {
        cidr: cidr("dual", "10.96.0.0/28", "fd00::/120"),
        others: [cidr("large", "10.96.0.0/16")],
        addresses: [address("fd00::5")],
      },
    ],
  ];
  for (const [name, expected, { cidr: one, others = [], addresses = [] }] of cases)
    t.equal(canGo(one, { all: [one, ...others], addresses }), expected, name);
  t.end();
});

test("which ranges a change concerns", (t) => {
  const all = [cidr("a", "10.96.0.0/16"), cidr("b", "10.96.1.0/24", "fd00::/120"), cidr("c", "10.97.0.0/16")];
  t.strictSame(names(havingAddress(all, "10.96.1.5")), ["a", "b"]);
  t.strictSame(names(havingAddress(all, "fd00::")), [], "not even the last one of IPv6 loses its network's address");
  t.strictSame(names(havingAddress(all, "fd00::ff")), ["b"]);
  t.strictSame(names(overlapping(all, all[1]!)), ["a", "b"]);
  t.end();
});
