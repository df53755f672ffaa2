import { test } from "tap";
import { parseFlows, staleFlows } from "./conntrack.js";
import { servicePorts } from "./service-ports.js";
import { service, sliceOf } from "./shapes.testing.js";

const listed = `udp      17 28 src=10.244.0.9 dst=10.96.0.20 sport=4000 dport=53 src=10.244.0.5 dst=10.244.0.9 sport=1053 dport=4000 mark=0 use=1
udp      17 28 src=10.244.0.9 dst=10.96.0.20 sport=4001 dport=53 src=10.244.0.6 dst=10.244.0.9 sport=1053 dport=4001 [ASSURED] mark=0 use=1
udp      17 28 src=10.244.0.9 dst=10.96.0.20 sport=4002 dport=53 [UNREPLIED] src=10.96.0.20 dst=10.244.0.9 sport=53 dport=4002 mark=0 use=1
udp      17 28 src=192.0.2.7 dst=192.0.2.1 sport=4003 dport=30053 src=10.244.0.6 dst=192.0.2.7 sport=1053 dport=4003 mark=0 use=1
udp      17 28 src=10.244.0.9 dst=8.8.8.8 sport=4004 dport=53 src=8.8.8.8 dst=10.244.0.9 sport=53 dport=4004 mark=0 use=1
tcp      6 100 ESTABLISHED src=10.244.0.9 dst=10.96.0.20 sport=4005 dport=53 src=10.244.0.6 dst=10.244.0.9 sport=1053 dport=4005 mark=0 use=1
`;

const dns = (...endpoints: Parameters<typeof sliceOf> extends [unknown, ...infer Rest] ? Rest : never) =>
  servicePorts(
    service({ type: "NodePort", ports: [{ name: "dns", port: 53, protocol: "UDP", nodePort: 30_053 }] }),
    [sliceOf({ name: "dns", port: 1053, protocol: "UDP" }, ...endpoints)],
    { family: "IPv4", nodeName: "node-1", zone: "" },
  );

test("F1 flows of UDP that lead to no serving endpoint are deleted, and no others", (t) => {
  const flows = parseFlows(listed);
  t.equal(flows.length, 5, "TCP is left alone");
  t.strictSame(staleFlows(flows, dns({ ip: "10.244.0.5" })), [
    ["-D", "-p", "udp", "--orig-dst", "10.96.0.20", "--orig-port-dst", "53", "--reply-src", "10.244.0.6"],
    ["-D", "-p", "udp", "--orig-dst", "10.96.0.20", "--orig-port-dst", "53", "--reply-src", "10.96.0.20"],
    ["-D", "-p", "udp", "--orig-port-dst", "30053", "--reply-src", "10.244.0.6"],
  ]);
  t.strictSame(
    staleFlows(flows, dns({ ip: "10.244.0.5" }, { ip: "10.244.0.6", ready: false, terminating: true })).map((args) =>
      args.at(-1),
    ),
    ["10.96.0.20"],
    "one that terminates but serves keeps its flows",
  );
  t.strictSame(staleFlows(flows, dns()), [], "without endpoints there is nowhere else to go");
  t.end();
});
