// The specification's records, asked for with dig: every kind of Service, each record type, what is there, what is not.

import type { Service, ServicePort } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { test } from "tap";
import { dig, type PlainObjects, startTestServer } from "./dns-server.testing.js";

const meta = (name: string, namespace = "default") => ({
  name,
  namespace,
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "",
});
const http: ServicePort = { name: "http", port: 80, protocol: "TCP" };
const clusterIp = (name: string, clusterIPs: string[], ports = [http]): Service => ({
  metadata: meta(name),
  spec: { clusterIP: clusterIPs[0]!, clusterIPs, ports },
});
const externalName = (name: string, target: string): Service => ({
  metadata: meta(name),
  spec: { type: "ExternalName", externalName: target },
});
const slice = (service: string, rest: Partial<EndpointSlice>, namespace = "default"): EndpointSlice => ({
  metadata: { ...meta(`${service}-${rest.addressType}`, namespace), labels: { "kubernetes.io/service-name": service } },
  addressType: "IPv4",
  ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
  endpoints: [],
  ...rest,
});

const objects: PlainObjects = {
  namespaces: ["default", "kube-system"],
  pods: ["default/10.244.0.9"],
  services: [
    clusterIp("web", ["10.96.0.20"], [http, { port: 9000, protocol: "UDP", name: "metrics" }]),
    clusterIp("dual", ["10.96.0.21", "fd00:96::21"]),
    clusterIp("unnamed", ["10.96.0.22"], [{ port: 8080 }]),
    { metadata: meta("db"), spec: { clusterIP: "None", ports: [{ name: "sql", port: 5432 }] } },
    { metadata: meta("portless"), spec: { clusterIP: "None" } },
    { metadata: meta("asleep"), spec: { clusterIP: "None", ports: [{ name: "sql", port: 5432 }] } },
    externalName("out", "www.example.test"),
    externalName("inside", "web.default.svc.cluster.local."),
    externalName("twice", "inside.default.svc.cluster.local"),
    externalName("round", "about.default.svc.cluster.local"),
    externalName("about", "round.default.svc.cluster.local"),
    externalName("dangling", "nobody.default.svc.cluster.local"),
    externalName("number", "192.0.2.1"),
    {
      metadata: meta("kube-dns", "kube-system"),
      spec: {
        clusterIP: "10.96.0.10",
        clusterIPs: ["10.96.0.10"],
        ports: [{ name: "dns", port: 53, protocol: "UDP" }],
      },
    },
    { metadata: meta("kubernetes"), spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443 }] } },
  ],
  slices: [
    slice("db", {
      endpoints: [
        { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
        { addresses: ["10.244.0.6"], conditions: {} },
        { addresses: ["10.244.0.7"], hostname: "db-2", conditions: { ready: false } },
        { addresses: ["10.244.1.1"], hostname: "twin", conditions: { ready: true } },
        { addresses: ["10.244.1.2"], hostname: "twin", conditions: { ready: true } },
      ],
    }),
    slice("db", {
      addressType: "IPv6",
      endpoints: [{ addresses: ["fd00:244:0:0::6"], conditions: { ready: true } }],
    }),
    slice("portless", { ports: [], endpoints: [{ addresses: ["10.244.0.30"] }] }),
    slice("asleep", { endpoints: [{ addresses: ["10.244.0.40"], conditions: { ready: false } }] }),
    slice("web", { endpoints: [{ addresses: ["10.244.0.50"], conditions: { ready: true } }], ports: [{ port: 8080 }] }),
    slice(
      "kube-dns",
      { endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ name: "dns", port: 10053, protocol: "UDP" }] },
      "kube-system",
    ),
    slice("kubernetes", { endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ name: "https", port: 6443 }] }),
  ],
};

const soa = "cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1700000000 7200 1800 86400 30";
const a = (name: string, ip: string) => `${name}. 30 IN ${ip.includes(":") ? "AAAA" : "A"} ${ip}`;
const cname = (name: string, to: string) => `${name}. 30 IN CNAME ${to}.`;
const srv = (name: string, [weight, port, target]: [number, number, string]) =>
  `${name}. 30 IN SRV 0 ${weight} ${port} ${target}.`;
const sql = "_sql._tcp.db.default.svc.cluster.local";
const db = "db.default.svc.cluster.local";
const dbTargets = ["db-0", "10-244-0-6", "twin", "fd00-244--6"].map((label) => `${label}.${db}`);
const dbAddresses: [string, string][] = [
  ["db-0", "10.244.0.5"],
  ["10-244-0-6", "10.244.0.6"],
  ["twin", "10.244.1.1"],
  ["twin", "10.244.1.2"],
  ["fd00-244--6", "fd00:244::6"],
];
const dbGlue = dbAddresses.map(([label, ip]) => a(`${label}.${db}`, ip));
const web = "web.default.svc.cluster.local";
const kubeDns = "kube-dns.kube-system.svc.cluster.local";

const found: [name: string, type: string, answer: string[], additional?: string[]][] = [
  // Services with a cluster IP
  [web, "A", [a(web, "10.96.0.20")]],
  ["dual.default.svc.cluster.local", "A", [a("dual.default.svc.cluster.local", "10.96.0.21")]],
  ["dual.default.svc.cluster.local", "AAAA", [a("dual.default.svc.cluster.local", "fd00:96::21")]],
  [`_http._tcp.${web}`, "SRV", [srv(`_http._tcp.${web}`, [100, 80, web])], [a(web, "10.96.0.20")]],
  [`_metrics._udp.${web}`, "SRV", [srv(`_metrics._udp.${web}`, [100, 9000, web])], [a(web, "10.96.0.20")]],
  [`http.tcp.${web}`, "SRV", [srv(`http.tcp.${web}`, [100, 80, web])], [a(web, "10.96.0.20")]],
  [web, "SRV", [srv(web, [50, 80, web]), srv(web, [50, 9000, web])], [a(web, "10.96.0.20")]],
  [`_http._tcp.${web}`, "A", [a(`_http._tcp.${web}`, "10.96.0.20")]],
  [
    "_http._tcp.dual.default.svc.cluster.local",
    "SRV",
    [srv("_http._tcp.dual.default.svc.cluster.local", [50, 80, "dual.default.svc.cluster.local"])],
    [a("dual.default.svc.cluster.local", "10.96.0.21"), a("dual.default.svc.cluster.local", "fd00:96::21")],
  ],
  // An endpoint of a Service that is not headless has a name too
  [`10-244-0-50.${web}`, "A", [a(`10-244-0-50.${web}`, "10.244.0.50")]],
  // Headless: ready endpoints alone, with and without host names
  [db, "A", ["10.244.0.5", "10.244.0.6", "10.244.1.1", "10.244.1.2"].map((ip) => a(db, ip))],
  [db, "AAAA", [a(db, "fd00:244::6")]],
  [`db-0.${db}`, "A", [a(`db-0.${db}`, "10.244.0.5")]],
  [`twin.${db}`, "A", [a(`twin.${db}`, "10.244.1.1"), a(`twin.${db}`, "10.244.1.2")]],
  [`fd00-244--6.${db}`, "AAAA", [a(`fd00-244--6.${db}`, "fd00:244::6")]],
  [sql, "SRV", dbTargets.map((target) => srv(sql, [20, 5432, target])), dbGlue],
  ["portless.default.svc.cluster.local", "A", [a("portless.default.svc.cluster.local", "10.244.0.30")]],
  // ExternalName that leads to a Service, directly and over another
  ["inside.default.svc.cluster.local", "A", [cname("inside.default.svc.cluster.local", web), a(web, "10.96.0.20")]],
  [
    "twice.default.svc.cluster.local",
    "A",
    [
      cname("twice.default.svc.cluster.local", "inside.default.svc.cluster.local"),
      cname("inside.default.svc.cluster.local", web),
      a(web, "10.96.0.20"),
    ],
  ],
  ["out.default.svc.cluster.local", "CNAME", [cname("out.default.svc.cluster.local", "www.example.test")]],
  // Pods by address
  ["10-244-0-9.default.pod.cluster.local", "A", [a("10-244-0-9.default.pod.cluster.local", "10.244.0.9")]],
  ["1-2-3-4.default.pod.cluster.local", "A", [a("1-2-3-4.default.pod.cluster.local", "1.2.3.4")]],
  ["fd00--9.default.pod.cluster.local", "AAAA", [a("fd00--9.default.pod.cluster.local", "fd00::9")]],
  // The zone itself
  ["dns-version.cluster.local", "TXT", ['dns-version.cluster.local. 28800 IN TXT "1.1.0"']],
  ["cluster.local", "SOA", [soa]],
  ["cluster.local", "NS", [`cluster.local. 30 IN NS ${kubeDns}.`], [a(kubeDns, "10.96.0.10")]],
  ["ns.dns.cluster.local", "A", [a("ns.dns.cluster.local", "10.96.0.10")]],
  // Back from addresses to names
  ["20.0.96.10.in-addr.arpa", "PTR", [`20.0.96.10.in-addr.arpa. 30 IN PTR ${web}.`]],
  ["5.0.244.10.in-addr.arpa", "PTR", [`5.0.244.10.in-addr.arpa. 30 IN PTR db-0.${db}.`]],
  ["50.0.244.10.in-addr.arpa", "PTR", [`50.0.244.10.in-addr.arpa. 30 IN PTR 10-244-0-50.${web}.`]],
  [
    "-x",
    "fd00:96::21",
    [`${nibbles("0021")}${"0.".repeat(16)}6.9.0.0.0.0.d.f.ip6.arpa. 30 IN PTR dual.default.svc.cluster.local.`],
  ],
  ["-x", "fd00:244::6", [`${nibbles("0006")}${"0.".repeat(16)}4.4.2.0.0.0.d.f.ip6.arpa. 30 IN PTR fd00-244--6.${db}.`]],
];

// The last two groups of an address, as ip6.arpa spells them.
function nibbles(group: string): string {
  return `${[...group].reverse().join(".")}.0.0.0.0.`;
}

test("F3 what is there", async (t) => {
  const port = await startTestServer(t, { objects });
  await inFours(found, async ([name, type, answer, additional = []]) => {
    const got = await dig(port, name, type, "+noedns");
    t.equal(got.status, "NOERROR", `${name} ${type}`);
    t.strictSame(got.authority, [], `${name} ${type}: no authority`);
    t.strictSame(got.answer, [...answer].sort(), `${name} ${type}`);
    t.strictSame(got.additional, [...additional].sort(), `${name} ${type}: addresses beside the answer`);
    t.ok(got.flags.includes("aa"), `${name} ${type}: authoritative`);
  });
});

const none = { answer: [], authority: [soa], additional: [] };
const missing: [name: string, type: string, status: "NXDOMAIN" | "NOERROR"][] = [
  ["none.default.svc.cluster.local", "A", "NXDOMAIN"],
  ["none.default.svc.cluster.local", "TXT", "NXDOMAIN"],
  ["web.other.svc.cluster.local", "A", "NXDOMAIN"],
  ["other.svc.cluster.local", "A", "NXDOMAIN"],
  ["other.pod.cluster.local", "A", "NXDOMAIN"],
  ["asleep.default.svc.cluster.local", "A", "NXDOMAIN"],
  [`db-2.${db}`, "A", "NXDOMAIN"],
  [`_ftp._tcp.${web}`, "SRV", "NXDOMAIN"],
  [`_http._udp.${web}`, "SRV", "NXDOMAIN"],
  // Wildcards of old, which CoreDNS dropped too
  [`any.any.${web}`, "SRV", "NXDOMAIN"],
  [`*._tcp.${web}`, "SRV", "NXDOMAIN"],
  ["*.default.svc.cluster.local", "A", "NXDOMAIN"],
  [`a.b.c.${web}`, "A", "NXDOMAIN"],
  ["x.cluster.local", "A", "NXDOMAIN"],
  ["x.dns.cluster.local", "A", "NXDOMAIN"],
  ["999-0-0-1.default.pod.cluster.local", "A", "NXDOMAIN"],
  ["1-2-3-4.nowhere.pod.cluster.local", "A", "NXDOMAIN"],
  ["0.out.default.svc.cluster.local", "CNAME", "NXDOMAIN"],
  ["number.default.svc.cluster.local", "A", "NXDOMAIN"],
  [web, "AAAA", "NOERROR"],
  [web, "TXT", "NOERROR"],
  [web, "MX", "NOERROR"],
  [web, "ANY", "NOERROR"],
  [web, "CNAME", "NOERROR"],
  [web, "NS", "NOERROR"],
  [web, "SOA", "NOERROR"],
  [web, "TYPE65", "NOERROR"],
  [`_tcp.${web}`, "A", "NOERROR"],
  ["portless.default.svc.cluster.local", "SRV", "NOERROR"],
  ["dangling.default.svc.cluster.local", "A", "NOERROR"],
  ["round.default.svc.cluster.local", "A", "NOERROR"],
  ["cluster.local", "A", "NOERROR"],
  ["svc.cluster.local", "A", "NOERROR"],
  ["pod.cluster.local", "A", "NOERROR"],
  ["dns.cluster.local", "A", "NOERROR"],
  ["default.svc.cluster.local", "A", "NOERROR"],
  ["default.pod.cluster.local", "A", "NOERROR"],
  ["dns-version.cluster.local", "A", "NOERROR"],
  ["10-244-0-9.default.pod.cluster.local", "AAAA", "NOERROR"],
];

test("F3 what is not there: NXDOMAIN or no data, with the SOA that says for how long", async (t) => {
  const port = await startTestServer(t, { objects });
  await inFours(missing, async ([name, type, status]) => {
    const words = type === "ANY" ? ["+notcp"] : [];
    const got = await dig(port, name, type, "+noedns", ...words);
    const { answer, authority, additional } = got;
    t.strictSame({ status: got.status, answer, authority, additional }, { ...none, status }, `${name} ${type}`);
    t.ok(got.flags.includes("aa"), `${name} ${type}: authoritative`);
  });
});

test("F3 pod names: verified and disabled", async (t) => {
  const there = "10-244-0-9.default.pod.cluster.local";
  const gone = "10-244-0-8.default.pod.cluster.local";
  const verified = await startTestServer(t, { objects, records: { podNames: "verified" } });
  t.match(await dig(verified, there, "A"), { status: "NOERROR", answer: [a(there, "10.244.0.9")] });
  t.match(await dig(verified, gone, "A"), { status: "NXDOMAIN" });
  const disabled = await startTestServer(t, { objects, records: { podNames: "disabled" } });
  t.match(await dig(disabled, there, "A"), { status: "NXDOMAIN" });
});

test("F3 a change is in the next answer, and a name that did not exist is found", async (t) => {
  const changing: PlainObjects = { ...objects, services: [...objects.services], changes: 0 };
  const port = await startTestServer(t, { objects: changing });
  const name = "late.default.svc.cluster.local";
  t.match(await dig(port, name, "A"), { status: "NXDOMAIN" });
  changing.services.push(clusterIp("late", ["10.96.0.99"]));
  changing.changes = 1;
  t.match(await dig(port, name, "A"), { status: "NOERROR", answer: [a(name, "10.96.0.99")] });
});

test("F3 without a Service of its own the server names itself; before the first news it says SERVFAIL", async (t) => {
  const alone = await startTestServer(t, { objects: { services: [], slices: [], namespaces: [] } });
  t.match(await dig(alone, "cluster.local", "NS"), {
    answer: ["cluster.local. 30 IN NS ns.dns.cluster.local."],
    additional: [a("ns.dns.cluster.local", "10.0.0.1")],
  });
  let isReady = false;
  const early = await startTestServer(t, { objects, isReady: () => isReady });
  t.match(await dig(early, web, "A"), { status: "SERVFAIL" });
  isReady = true;
  t.match(await dig(early, web, "A"), { status: "NOERROR", answer: [a(web, "10.96.0.20")] });
});

// dig is a process: a few at once, so that a busy machine is not made busier.
async function inFours<T>(cases: readonly T[], ask: (one: T) => Promise<void>): Promise<void> {
  const left = [...cases];
  const work = async () => {
    for (let one = left.shift(); one; one = left.shift()) await ask(one);
  };
  await Promise.all(Array.from({ length: 4 }, work));
}
