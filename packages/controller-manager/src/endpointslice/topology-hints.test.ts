// Which zone each endpoint is for: by topology mode, and by trafficDistribution.

import { type Endpoint, type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { node, object } from "@picokube/testing/builders";
import { test } from "tap";
import { type SliceChanges, withoutHints, withSameZoneHints } from "./slice-changes.js";
import { createTopologyHints } from "./topology-hints.js";
import { allocate, cpuShares } from "./zone-allocations.js";

const zoned = (name: string, zone: string | undefined, { cpu = "4", ready = true, labels = {} } = {}) =>
  node(name, {
    metadata: { labels: { ...labels, ...(zone ? { "topology.kubernetes.io/zone": zone } : {}) } },
    status: { allocatable: { cpu }, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
const endpoints = (zones: string, { hints = "" } = {}): Endpoint[] =>
  [...zones].map((zone, i) => ({
    addresses: [`10.0.0.${i}`],
    conditions: { ready: zone !== "-" },
    ...(zone === "-" || zone === "?" ? {} : { zone }),
    ...(hints[i] ? { hints: { forZones: [{ name: hints[i] }] } } : {}),
  }));
const slice = (name: string, list: Endpoint[]): EndpointSlice =>
  object(endpointslices, name, { addressType: "IPv4", endpoints: list } as object);
const changes = (parts: Partial<SliceChanges>): SliceChanges => ({ create: [], update: [], unchanged: [], ...parts });
const zonesOf = (list: readonly { endpoints?: Endpoint[] | null }[]) =>
  list.map(({ endpoints: all }) => (all ?? []).map(({ hints }) => hints?.forZones?.[0]?.name ?? "-").join(""));

test("shares of CPU: ready nodes with a zone, without control planes; too little is nothing", async (t) => {
  const [a, b] = [zoned("1", "a"), zoned("2", "b", { cpu: "12" })];
  t.strictSame(
    [...cpuShares([a, b, zoned("3", "c", { ready: false })])!],
    [
      ["a", 0.25],
      ["b", 0.75],
    ],
  );
  const controlPlane = zoned("4", undefined, { labels: { "node-role.kubernetes.io/control-plane": "" } });
  t.equal(cpuShares([a, b, controlPlane])!.size, 2);
  t.equal(cpuShares([a]), undefined, "one zone");
  t.equal(cpuShares([a, b, zoned("5", undefined)]), undefined, "a node without a zone");
  t.equal(cpuShares([a, zoned("6", "b", { cpu: "0" })]), undefined, "a node without CPU");
});

test("allocations, and why there are none", async (t) => {
  const even = new Map([
    ["a", 0.5],
    ["b", 0.5],
  ]);
  t.match(allocate(undefined, 4), /^Insufficient Node information: allocatable CPU or zone not specified/);
  t.equal(allocate(even, 1), "Insufficient number of endpoints (1 endpoints, 2 zones)");
  t.equal(
    allocate(
      new Map([
        ["a", 0.34],
        ["b", 0.33],
        ["c", 0.33],
      ]),
      4,
    ),
    "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)",
  );
  t.strictSame(
    [...(allocate(even, 6) as ReadonlyMap<string, object>)],
    [
      ["a", { minimum: 3, desired: 3, maximum: 3 }],
      ["b", { minimum: 3, desired: 3, maximum: 3 }],
    ],
  );
});

test("each endpoint is for its own zone, save those that a zone with more CPU is given", async (t) => {
  const hints = createTopologyHints();
  const given = (list: Endpoint[]) => hints.add("default/web", "IPv4", changes({ update: [slice("s", list)] }));
  t.match(given(endpoints("ab")).event, { type: "Warning", reason: "TopologyAwareHintsDisabled" }, "no nodes yet");
  hints.nodesChanged(() => [zoned("1", "a"), zoned("2", "b")]);
  const enabled = given(endpoints("aab-b"));
  t.strictSame(zonesOf(enabled.changes.update), ["aab-b"]);
  t.strictSame(enabled.event, {
    type: "Normal",
    reason: "TopologyAwareHintsEnabled",
    message: "Topology Aware Hints has been enabled, addressType: IPv4",
  });
  t.equal(given(endpoints("aabb")).event, undefined, "told once");
  t.strictSame(zonesOf(given(endpoints("aaaa")).changes.update), ["bbaa"], "half of them are lent");
  t.match(given(endpoints("aab?")), {
    event: { message: "One or more endpoints do not have a zone specified, addressType: IPv4" },
  });
  t.strictSame(zonesOf(given(endpoints("aab?", { hints: "aab" })).changes.update), ["----"]);
  t.equal(given(endpoints("aabb")).event?.type, "Normal");
  t.strictSame(hints.remove("default/web", "IPv4"), {
    type: "Warning",
    reason: "TopologyAwareHintsDisabled",
    message: "Topology Aware Hints has been disabled, addressType: IPv4",
  });
  t.equal(hints.remove("default/web", "IPv4"), undefined);
});

test("slices whose hints fit are not written; nodes that change make Services overloaded", async (t) => {
  const hints = createTopologyHints();
  hints.nodesChanged(() => [zoned("1", "a"), zoned("2", "b")]);
  const [fits, lacks] = [slice("fits", endpoints("ab", { hints: "ab" })), slice("lacks", endpoints("ab"))];
  const { changes: written } = hints.add("default/web", "IPv4", changes({ unchanged: [fits, lacks] }));
  t.strictSame(written.unchanged, [fits]);
  t.strictSame(zonesOf(written.update), ["ab"]);
  const greedy = slice("greedy", endpoints("aabb", { hints: "aaaa" }));
  const corrected = hints.add("default/greedy", "IPv4", changes({ unchanged: [greedy] }));
  t.strictSame(zonesOf(corrected.changes.update), ["aabb"], "a zone had more than it may");
  t.strictSame(hints.overloaded(), []);
  hints.nodesChanged(() => [zoned("1", "a"), zoned("2", "b"), zoned("3", "c")]);
  t.strictSame(hints.overloaded(), ["default/web", "default/greedy"], "a zone without endpoints");
  hints.forget("default/greedy");
  hints.nodesChanged(() => [zoned("1", "a")]);
  t.strictSame(hints.overloaded(), ["default/web"], "no hints can be any more");
});

test("trafficDistribution: each ready endpoint is for its own zone; without it hints go", async (t) => {
  const right = slice("right", endpoints("ab-", { hints: "ab" }));
  const wrong = slice("wrong", endpoints("ab?", { hints: "bbb" }));
  const close = withSameZoneHints(changes({ create: [slice("new", endpoints("ab-"))], unchanged: [right, wrong] }));
  t.strictSame(close.unchanged, [right]);
  t.strictSame(zonesOf(close.create), ["ab-"]);
  t.strictSame(zonesOf(close.update), ["ab-"]);
  const none = slice("none", endpoints("ab"));
  const cleared = withoutHints(changes({ update: [wrong], unchanged: [right, none] }));
  t.strictSame(cleared.unchanged, [none]);
  t.strictSame(zonesOf(cleared.update), ["---", "---"]);
});
