import { test } from "tap";
import type { Endpoint } from "./endpoints.js";
import { categorizeEndpoints, type TopologyInput } from "./topology.js";

interface Facts {
  readonly local?: true;
  readonly state?: "ready" | "terminating" | "gone";
  readonly zones?: readonly string[];
}

function endpoint(ip: string, { local, state = "ready", zones = [] }: Facts = {}): Endpoint {
  return {
    ip,
    port: 80,
    address: `${ip}:80`,
    isLocal: local === true,
    ready: state === "ready",
    serving: state !== "gone",
    terminating: state !== "ready",
    zoneHints: zones,
  };
}

const cases: readonly {
  readonly name: string;
  readonly endpoints: Readonly<Record<string, Facts>>;
  readonly input?: Partial<TopologyInput>;
  readonly cluster: string;
  readonly local: string;
  readonly reachable?: string;
  readonly hasAny?: boolean;
}[] = [
  { name: "none", endpoints: {}, cluster: "", local: "", hasAny: false },
  { name: "ready ones alone", endpoints: { a: {}, b: { state: "terminating" } }, cluster: "a", local: "" },
  {
    name: "without ready ones, those that still serve",
    endpoints: { a: { state: "terminating" } },
    cluster: "a",
    local: "",
  },
  { name: "not those that serve no more", endpoints: { a: { state: "gone" } }, cluster: "", local: "", hasAny: false },
  {
    name: "hints for this zone",
    endpoints: { a: { zones: ["x"] }, b: { zones: ["y"] }, c: { zones: ["x", "y"] } },
    input: { zone: "y" },
    cluster: "bc",
    local: "",
  },
  {
    name: "one without a hint: all of them",
    endpoints: { a: { zones: ["x"] }, b: {} },
    input: { zone: "x" },
    cluster: "ab",
    local: "",
  },
  {
    name: "an endpoint that is not ready needs no hint",
    endpoints: { a: { zones: ["x"] }, b: { state: "terminating" } },
    input: { zone: "x" },
    cluster: "a",
    local: "",
  },
  {
    name: "no hint for this zone: all",
    endpoints: { a: { zones: ["x"] } },
    input: { zone: "z" },
    cluster: "a",
    local: "",
  },
  { name: "a node without a zone: all", endpoints: { a: { zones: ["x"] } }, cluster: "a", local: "" },
  {
    name: "Local policy keeps to this node",
    endpoints: { a: { local: true }, b: {} },
    input: { usesCluster: false, usesLocal: true },
    cluster: "",
    local: "a",
    reachable: "a",
  },
  {
    name: "Local policy without any here: none reachable, but some there are",
    endpoints: { b: {} },
    input: { usesCluster: false, usesLocal: true },
    cluster: "",
    local: "",
    hasAny: true,
  },
  {
    name: "each policy falls back by itself",
    endpoints: { a: { local: true, state: "terminating" }, b: {} },
    input: { usesLocal: true },
    cluster: "b",
    local: "a",
    reachable: "ba",
  },
  {
    name: "Local policy knows no hints",
    endpoints: { a: { local: true, zones: ["x"] }, b: { zones: ["y"] } },
    input: { usesLocal: true, zone: "y" },
    cluster: "b",
    local: "a",
    reachable: "ba",
  },
];

test("F1 endpoints by traffic policy, topology hints and state", (t) => {
  for (const { name, endpoints, input, ...wanted } of cases) {
    const all = Object.entries(endpoints).map(([ip, facts]) => endpoint(ip, facts));
    const found = categorizeEndpoints(all, { usesCluster: true, usesLocal: false, zone: "", ...input });
    const names = (of: readonly Endpoint[]) => of.map(({ ip }) => ip).join("");
    t.strictSame(
      {
        cluster: names(found.cluster),
        local: names(found.local),
        reachable: names(found.reachable),
        hasAny: found.hasAny,
      },
      { ...wanted, reachable: wanted.reachable ?? wanted.cluster, hasAny: wanted.hasAny ?? true },
      name,
    );
  }
  t.end();
});
