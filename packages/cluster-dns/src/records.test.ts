import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { test } from "tap";
import { createRecords, type RecordSource } from "./records.js";

const meta = (name: string) => ({ name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" });

const all: Service[] = [
  { metadata: meta("web"), spec: { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80, protocol: "TCP" }] } },
  { metadata: meta("db"), spec: { clusterIP: "None", ports: [{ name: "sql", port: 5432, protocol: "TCP" }] } },
  { metadata: meta("out"), spec: { type: "ExternalName", externalName: "example.org" } },
];

const slices: EndpointSlice[] = [
  {
    metadata: { ...meta("db-1"), labels: { "kubernetes.io/service-name": "db" } },
    addressType: "IPv4",
    ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
    endpoints: [
      { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["10.244.0.6"], conditions: { ready: true } },
      { addresses: ["10.244.0.7"], hostname: "db-2", conditions: { ready: false } },
    ],
  },
];

const source: RecordSource = {
  service: (namespace, name) => all.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (_, service) => slices.filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service),
  namespaceExists: (name) => name === "default",
  servicesByIp: (ip) => all.filter(({ spec }) => spec?.clusterIP === ip),
  slicesByIp: (ip) => slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(ip))),
};

const records = createRecords({ zone: "cluster.local", ttl: 30, source });
const data = (name: string, type: string) => records.lookup(name, type)?.answers.map((record) => record.data);

test("F3 names of the cluster", (t) => {
  const table: [string, string, unknown][] = [
    ["web.default.svc.cluster.local", "A", ["10.96.0.20"]],
    ["web.default.svc.cluster.local", "AAAA", []],
    ["db.default.svc.cluster.local", "A", ["10.244.0.5", "10.244.0.6"]],
    ["db-0.db.default.svc.cluster.local", "A", ["10.244.0.5"]],
    ["10-244-0-6.db.default.svc.cluster.local", "A", ["10.244.0.6"]],
    ["out.default.svc.cluster.local", "A", ["example.org"]],
    ["10-244-0-9.default.pod.cluster.local", "A", ["10.244.0.9"]],
    ["dns-version.cluster.local", "TXT", [["1.1.0"]]],
    [
      "_http._tcp.web.default.svc.cluster.local",
      "SRV",
      [{ priority: 0, weight: 100, port: 80, target: "web.default.svc.cluster.local" }],
    ],
    ["20.0.96.10.in-addr.arpa", "PTR", ["web.default.svc.cluster.local"]],
    ["5.0.244.10.in-addr.arpa", "PTR", ["db-0.db.default.svc.cluster.local"]],
  ];
  for (const [name, type, expected] of table) t.strictSame(data(name, type), expected, `${type} ${name}`);
  t.strictSame(
    (data("_sql._tcp.db.default.svc.cluster.local", "SRV") as { target: string }[]).map(({ target }) => target),
    ["db-0.db.default.svc.cluster.local", "10-244-0-6.db.default.svc.cluster.local"],
  );
  t.end();
});

test("what does not exist, what has no data, and what is not ours", (t) => {
  for (const name of [
    "none.default.svc.cluster.local",
    "web.other.svc.cluster.local",
    "other.svc.cluster.local",
    "db-2.db.default.svc.cluster.local",
    "x.cluster.local",
    "a.b.c.d.svc.cluster.local",
    "_ftp._tcp.web.default.svc.cluster.local",
    "999-0-0-1.default.pod.cluster.local",
  ])
    t.equal(records.lookup(name, "A")?.exists, false, name);
  for (const name of ["cluster.local", "svc.cluster.local", "default.svc.cluster.local"])
    t.match(records.lookup(name, "A"), { exists: true, answers: [] }, name);
  for (const name of ["example.org", "cluster.local.example.org", "9.9.9.9.in-addr.arpa", "notcluster.local"])
    t.equal(records.lookup(name, "PTR"), undefined, name);
  t.end();
});
