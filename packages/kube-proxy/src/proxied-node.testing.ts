// A node for packet tests, inside a network namespace of its own: a bridge with three pods that answer, a neighbour
// outside, a real apiserver and a real kube-proxy.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nodes, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer, type TestWithTeardown } from "@picokube/testing/apiserver";
import { ip } from "./ip-command.testing.js";
import type { Protocol } from "./service-ports.js";

const run = promisify(execFile);
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export const podPort = 8080;
export const pods = { a: "10.244.0.11", b: "10.244.0.12", c: "10.244.0.13" } as const;
export const podsIpv6 = { a: "fd00:10:244::11", b: "fd00:10:244::12", c: "fd00:10:244::13" } as const;
export type PodName = keyof typeof pods;
export const nodeIp = "192.0.2.1";
export const outsideIp = "192.0.2.9";

/** Who answered, and the source address that it saw. */
export interface Answer {
  readonly name: string;
  readonly source: string;
}

export interface EndpointFacts {
  readonly node?: string;
  readonly state?: "ready" | "terminating";
  readonly zone?: string;
}

export interface ProxiedNode {
  readonly client: Client;
  /** Asks over HTTP from the node, a pod, or the neighbour; rejects when refused, or silent for half a minute. */
  ask(from: "node" | "outside" | PodName, url: string, ...curl: readonly string[]): Promise<Answer>;
  /** Creates or replaces a Service's spec; resolves to what the server made of it. */
  service(
    name: string,
    spec: object,
    ingress?: readonly object[],
  ): Promise<{ clusterIP: string; clusterIPs: readonly string[]; nodePort: number }>;
  endpoints(
    service: string,
    pods: Partial<Record<PodName, EndpointFacts>>,
    options?: { readonly protocol?: Protocol; readonly family?: "IPv4" | "IPv6" },
  ): Promise<void>;
  startProxy(...flags: readonly string[]): ChildProcess;
  stopProxy(): Promise<void>;
  /** Runs `kube-proxy` to its end with these flags. */
  proxyCommand(...flags: readonly string[]): Promise<string>;
  log(): string;
}

/** Everything of it goes with the test. namespace: the one we are in; the others begin with its name. */
export async function startProxiedNode(t: TestWithTeardown, namespace: string): Promise<ProxiedNode> {
  const nsOf = (name: string) => `${namespace}-${name}`;
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
  ip("link", "add", "br0", "type", "bridge");
  ip("addr", "add", "10.244.0.1/24", "dev", "br0");
  // Without nodad an address is of no use for its first second.
  ip("addr", "add", "fd00:10:244::1/64", "dev", "br0", "nodad");
  ip("link", "set", "br0", "up");
  for (const [name, address] of Object.entries(pods)) {
    connect(nsOf(name), { link: `veth-${name}`, address: `${address}/24`, via: "10.244.0.1" });
    ip("-n", nsOf(name), "addr", "add", `${podsIpv6[name as PodName]}/64`, "dev", "eth0", "nodad");
    ip("-n", nsOf(name), "route", "add", "default", "via", "fd00:10:244::1");
    ip("link", "set", `veth-${name}`, "master", "br0");
    ip("link", "set", `veth-${name}`, "type", "bridge_slave", "hairpin", "on");
  }
  connect(nsOf("outside"), { link: "uplink", address: `${outsideIp}/24`, via: nodeIp });
  ip("-n", nsOf("outside"), "addr", "add", "192.0.2.200/24", "dev", "eth0");
  ip("addr", "add", `${nodeIp}/24`, "dev", "uplink");
  ip("route", "add", "default", "via", outsideIp);

  const children: ChildProcess[] = [];
  t.teardown(() => {
    for (const child of children) child.kill("SIGKILL");
  });
  await Promise.all(
    Object.keys(pods).map(async (name) => {
      const argv = [`--net=/run/netns/${nsOf(name)}`, process.execPath, file("answering-pod.testing.js"), name];
      const child = spawn("nsenter", [...argv, String(podPort)], { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    }),
  );
  const server = await startApiServer(t, {
    flags: ["--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112"],
  });
  const { client } = server;
  await client.create(nodes, {
    metadata: { name: "node-1", labels: { "topology.kubernetes.io/zone": "here" } },
  } as never);
  const status = { status: { addresses: [{ type: "InternalIP", address: nodeIp }] } };
  await client.patch(nodes, { name: "node-1" }, status, { type: "merge", subresource: "status" });

  const { kubeconfig } = server.as("kube-proxy");
  const executable = file("../bin/kube-proxy.js");
  let proxy: ChildProcess | undefined;
  let output = "";
  return {
    client,
    async ask(from, url, ...curl) {
      const enter = from === "node" ? [] : ["nsenter", `--net=/run/netns/${nsOf(from)}`];
      const [command, ...args] = [...enter, "curl", "-sS", "--max-time", "30", ...curl, url];
      return JSON.parse((await run(command!, args)).stdout) as Answer;
    },
    async service(name, spec, ingress) {
      const at = { namespace: "default", name };
      const made = await client.create(services, { metadata: at, spec } as never);
      if (ingress)
        await client.patch(
          services,
          at,
          { status: { loadBalancer: { ingress } } },
          { type: "merge", subresource: "status" },
        );
      return {
        clusterIP: made.spec!.clusterIP ?? "",
        clusterIPs: made.spec!.clusterIPs ?? [],
        nodePort: made.spec!.ports?.[0]?.nodePort ?? 0,
      };
    },
    async endpoints(service, of, { protocol = "TCP", family = "IPv4" } = {}) {
      const at = { namespace: "default", name: `${service}-${family.toLowerCase()}` };
      const slice = {
        metadata: {
          ...at,
          labels: { "kubernetes.io/service-name": service },
          annotations: { "endpoints.kubernetes.io/last-change-trigger-time": new Date().toISOString() },
        },
        addressType: family,
        ports: [{ port: podPort, protocol, name: "" }],
        endpoints: Object.entries(of).map(([name, { node = "node-1", state = "ready", zone }]) => ({
          addresses: [(family === "IPv6" ? podsIpv6 : pods)[name as PodName]],
          nodeName: node,
          conditions: { ready: state === "ready", serving: true, terminating: state === "terminating" },
          ...(zone ? { hints: { forZones: [{ name: zone }] } } : {}),
        })),
      };
      // One write: between a delete and a create the Service would have no endpoints.
      const current = await client.get(endpointslices, at).catch(() => undefined);
      if (!current) await client.create(endpointslices, slice as never);
      else
        await client.update(endpointslices, {
          ...current,
          ...slice,
          metadata: { ...current.metadata, ...slice.metadata },
        } as never);
    },
    startProxy(...flags) {
      const own = [`--kubeconfig=${kubeconfig}`, "--hostname-override=node-1", "--oom-score-adj=0", "-v=2", ...flags];
      proxy = spawn(process.execPath, [executable, ...own], { stdio: ["ignore", "pipe", "pipe"] });
      children.push(proxy);
      for (const stream of [proxy.stdout!, proxy.stderr!])
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      return proxy;
    },
    async stopProxy() {
      if (!proxy || proxy.exitCode !== null) return;
      const exited = new Promise((resolve) => proxy!.once("exit", resolve));
      proxy.kill("SIGTERM");
      await exited;
    },
    proxyCommand: async (...flags) => (await run(process.execPath, [executable, ...flags])).stdout,
    log: () => output,
  };
}

/** A namespace with an interface eth0 whose other end is a link of ours. */
function connect(name: string, { link, address, via }: { link: string; address: string; via: string }): void {
  ip("netns", "add", name);
  ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
  ip("link", "set", link, "up");
  ip("-n", name, "link", "set", "lo", "up");
  ip("-n", name, "addr", "add", address, "dev", "eth0");
  ip("-n", name, "link", "set", "eth0", "up");
  ip("-n", name, "route", "add", "default", "via", via);
}
