// What the repair does about each way in which Services and IPAddresses can disagree.

import type { Service } from "@picokube/api/core/v1";
import { type IPAddress, ipaddresses } from "@picokube/api/networking/v1";
import { object, service } from "@picokube/testing/builders";
import { test } from "tap";
import { serviceRange } from "../registry/core/ip-allocator.js";
import { addressOf } from "../registry/core/service-addresses.js";
import { planRepair } from "./repair-plan.js";

const ranges = [serviceRange("10.96.0.0/24")];
const createdMs = Date.parse("2026-01-01T00:00:00Z");
const withIp = (name: string, ip: string): Service => {
  const made = service(name);
  return { ...made, spec: { ...made.spec!, clusterIP: ip, clusterIPs: [ip] } };
};
const [web, other] = [withIp("web", "10.96.0.5"), withIp("other", "10.96.0.6")];
const address = (ip: string, of: Service, layer: object = {}): IPAddress => {
  const { metadata, ...rest } = addressOf(ip, of);
  return object(ipaddresses, ip, { metadata: { ...metadata } }, rest as object, layer);
};
const right = [address("10.96.0.5", web), address("10.96.0.6", other)];
const plan = (services: Service[], addresses: IPAddress[], ageMs = 3_600_000) =>
  planRepair({ services, addresses, ranges, nowMs: createdMs + ageMs });
const step = (reason: string, message: string, acts: object = {}) => ({ told: { reason, message }, ...acts });

test("what is right is left alone; what others made for other uses, too", (t) => {
  const gateway = object(ipaddresses, "10.96.0.9", {
    spec: { parentRef: { resource: "gateways", name: "g" } },
  } as object);
  t.strictSame(plan([web, other], [...right, gateway]), { steps: [], againInMs: undefined });
  t.end();
});

test("each fault of a Service's address, in upstream's words", (t) => {
  const gone = service("gone");
  const cases: [string, ReturnType<typeof plan>, object[]][] = [
    [
      "no address",
      plan([web], []),
      [
        step("ClusterIPNotAllocated", "Cluster IP [IPv4]: 10.96.0.5 is not allocated; repairing", {
          create: { ip: "10.96.0.5" },
        }),
      ],
    ],
    [
      "out of every range",
      plan([withIp("web", "10.97.0.1")], []),
      [
        step(
          "ClusterIPOutOfRange",
          "Cluster IP [IPv4]: 10.97.0.1 is not within any configured Service CIDR; please recreate service",
        ),
      ],
    ],
    [
      "of a Service that is not there",
      plan([web], [address("10.96.0.5", gone)]),
      [
        step(
          "ClusterIPNotAllocated",
          "the ClusterIP [IPv4]: 10.96.0.5 for Service default/web has a wrong reference; repairing",
          { delete: "10.96.0.5", create: { ip: "10.96.0.5" } },
        ),
      ],
    ],
    [
      "of two Services",
      plan([web, withIp("twin", "10.96.0.5")], [address("10.96.0.5", web)]),
      [
        step(
          "ClusterIPAlreadyAllocated",
          "Cluster IP [IPv4]:10.96.0.5 was assigned to multiple services; please recreate service",
        ),
      ],
    ],
    [
      "with wrong labels: upstream says nothing",
      plan([web], [address("10.96.0.5", web, { metadata: { labels: {} } })]),
      [{ told: undefined, delete: "10.96.0.5", create: { ip: "10.96.0.5" } }],
    ],
    [
      "nobody's",
      plan([], [address("10.96.0.5", web)]),
      [
        step(
          "IPAddressNotAllocated",
          "IPAddress: 10.96.0.5 for Service default/web appears to have leaked: cleaning up",
          { delete: "10.96.0.5" },
        ),
      ],
    ],
    [
      "not the one that its Service has",
      plan([web], [...right.slice(0, 1), address("10.96.0.7", web)]),
      [
        step(
          "IPAddressWrongReference",
          "IPAddress: 10.96.0.7 for Service default/web has a wrong reference; cleaning up",
          { delete: "10.96.0.7", create: undefined },
        ),
      ],
    ],
    [
      "of something that is no Service",
      plan([], [address("10.96.0.5", web, { spec: { parentRef: { group: "", resource: "pods", name: "p" } } })]),
      [
        step(
          "IPAddressNotAllocated",
          "IPAddress 10.96.0.5 appears to have been modified, not referencing a Service &ParentReference{Group:,Resource:pods,Namespace:,Name:p,}: cleaning up",
          { delete: "10.96.0.5" },
        ),
      ],
    ],
  ];
  for (const [name, { steps }, expected] of cases) {
    t.equal(steps.length, expected.length, name);
    t.match(steps, expected, name);
  }
  t.end();
});

test("an address whose Service may still come is waited for", (t) => {
  t.strictSame(plan([], [address("10.96.0.5", web)], 20_000), { steps: [], againInMs: 40_001 });
  t.equal(plan([], [address("10.96.0.5", web)], 60_001).steps.length, 1);
  t.end();
});
