import { ConfigError } from "@picokube/component-base/config-error";
import { node } from "@picokube/testing/builders";
import { test } from "tap";
import { evictionRates, zoneQps, zoneState } from "./zones.js";

const rates = { normalQps: 0.1, secondaryQps: 0.01, unhealthyThreshold: 0.55, largeZoneSize: 5 };

function zone(name: string, { up, down }: { up: number; down: number }) {
  return Array.from({ length: up + down }, (_, i) =>
    node(`${name}-${i}`, {
      metadata: { labels: { "topology.kubernetes.io/zone": name } },
      status: { conditions: [{ type: "Ready", status: i < up ? "True" : "Unknown" }] },
    }),
  );
}

test("zone states", (t) => {
  const table: [up: number, down: number, state: string][] = [
    [1, 0, "Normal"],
    [0, 1, "FullDisruption"],
    [1, 2, "Normal"],
    [2, 3, "PartialDisruption"],
    [3, 3, "Normal"],
  ];
  for (const [up, down, state] of table)
    t.equal(zoneState(zone("a", { up, down }), 0.55), state, `${up} up, ${down} down`);
  t.end();
});

test("eviction rates by zone", (t) => {
  const nodes = [
    ...zone("healthy", { up: 3, down: 1 }),
    ...zone("small", { up: 1, down: 4 }),
    ...zone("large", { up: 1, down: 5 }),
    ...zone("dead", { up: 0, down: 2 }),
  ];
  t.strictSame(Object.fromEntries(zoneQps(nodes, rates) ?? []), {
    "/healthy": 0.1,
    "/small": 0,
    "/large": 0.01,
    "/dead": 0.1,
  });
  t.equal(zoneQps(zone("only", { up: 0, down: 1 }), rates), undefined);
  const excluded = node("aside", {
    metadata: { labels: { "node.kubernetes.io/exclude-disruption": "" } },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  });
  t.equal(zoneQps([...zone("only", { up: 0, down: 1 }), excluded], rates), undefined, "it does not stand for its zone");
  t.end();
});

test("the flags' numbers", (t) => {
  const flags = {
    nodeEvictionRate: "0.1",
    secondaryNodeEvictionRate: "0.01",
    unhealthyZoneThreshold: "0.55",
    largeClusterSizeThreshold: 50,
  };
  t.strictSame(evictionRates(flags), { ...rates, largeZoneSize: 50 });
  t.throws(() => evictionRates({ ...flags, nodeEvictionRate: "fast" }), ConfigError);
  t.end();
});
