// What a pod knows of itself and of the cluster: variables in every form, its names, its DNS; and the host's ports that lead to
// it. One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { configmaps, nodes, type Pod, type PodSpec, pods, secrets, services } from "@picokube/api/core/v1";
import { parseQuantity } from "@picokube/api/quantity";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const patienceMs = 60_000;
const namespace = "default";
const tcpPort = 38_091;
const udpPort = 38_092;

/** What the port says, or undefined. */
function read(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    connect({ host, port })
      .on("data", (chunk) => {
        text += chunk;
      })
      .on("close", () => resolve(text === "" ? undefined : text))
      .on("error", () => resolve(undefined));
  });
}

/** What comes back for a datagram, or undefined after a while. */
function ask(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const end = (answer?: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(), 500);
    socket.on("message", (message) => end(message.toString())).on("error", () => end());
    socket.send("hello", port, host);
  });
}

test("a pod's surroundings", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, get, until, ready, removeAll, inside, said, eventsOf } = await podsOf(server);
  const resolvConf = join(t.testdir({}), "resolv.conf");
  const searches = Array.from({ length: 30 }, (_, number) => `s${number}.example.com`);
  const four = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  const lines = [`search ${searches.join(" ")}`, ...four.map((ip) => `nameserver ${ip}`), "options rotate"];
  writeFileSync(resolvConf, `${lines.join("\n")}\n`);
  await startKubelet(t, server, { bridge: "picotest82", subnet: 82, flags: [`--resolv-conf=${resolvConf}`] });
  const node = await eventually(
    "the node",
    async () => {
      const found = await client.get(nodes, { name: "node-1" }).catch(() => undefined);
      return found?.status?.allocatable && found;
    },
    patienceMs,
  );
  /** The variables that the container's first process was started with. */
  const environmentOf = async (pod: string) => {
    const entries = (await inside(pod, "cat /proc/1/environ")).split("\0").filter(Boolean);
    return Object.fromEntries(entries.map((entry) => [entry.split("=", 1)[0], entry.slice(entry.indexOf("=") + 1)]));
  };
  const metadata = (name: string) => ({ name, namespace });

  await t.test("variables: values, sources, references, Services, what is missing", async (t) => {
    const data = { COLOUR: "blue", "a.b-c": "dotted" };
    await client.create(configmaps, { metadata: metadata("settings"), data });
    await client.create(secrets, { metadata: metadata("login"), stringData: { password: "s3cret" } });
    const ports = [{ name: "http", port: 80 }];
    const web = await client.create(services, { metadata: metadata("web-site"), spec: { ports } });
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, resource: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource, ...(divisor ? { divisor } : {}) } },
    });
    const env = [
      { name: "PLAIN", value: "x" },
      { name: "BEFORE", value: "$(AFTER)-$(PLAIN)-$$(PLAIN)-$(COLOUR)-$(NONE)" },
      { name: "AFTER", value: "late" },
      { name: "URL", value: "http://$(WEB_SITE_SERVICE_HOST):$(WEB_SITE_SERVICE_PORT_HTTP)" },
      { name: "KEY", valueFrom: { configMapKeyRef: { name: "settings", key: "a.b-c" } } },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
      { name: "OPTIONAL", valueFrom: { secretKeyRef: { name: "login", key: "none", optional: true } } },
      field("NAME", "metadata.name"),
      field("NAMESPACE", "metadata.namespace"),
      field("UID_OF_POD", "metadata.uid"),
      field("APP", "metadata.labels['app']"),
      field("NOTE", "metadata.annotations['example.com/note']"),
      field("NODE", "spec.nodeName"),
      field("ACCOUNT", "spec.serviceAccountName"),
      field("IP", "status.podIP"),
      field("IPS", "status.podIPs"),
      field("HOST", "status.hostIP"),
      field("HOSTS", "status.hostIPs"),
      resource("CPU", "limits.cpu"),
      resource("CPU_REQUEST", "requests.cpu", "1m"),
      resource("MEMORY", "limits.memory", "1Mi"),
      resource("DISK", "limits.ephemeral-storage"),
    ];
    const envFrom = [
      { configMapRef: { name: "settings" } },
      { prefix: "P_", secretRef: { name: "login" } },
      { configMapRef: { name: "none", optional: true } },
    ];
    const resources = { limits: { memory: "64Mi" }, requests: { cpu: "100m" } };
    const labelled = { ...metadata("told"), labels: { app: "web" }, annotations: { "example.com/note": "one\ntwo" } };
    await client.create(pods, {
      metadata: labelled,
      spec: {
        nodeName: "node-1",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        containers: [{ ...sleeper(), env, envFrom, resources, args: ["$(PLAIN)", "$$(PLAIN)"] }],
      },
    } as never);
    await create("unlinked", { enableServiceLinks: false });
    const pod = await ready("told");
    const ip = web.spec!.clusterIP;
    const { podIP } = pod.status!;
    const allocatable = (name: string) => String(parseQuantity(node.status!.allocatable![name]!).value());
    const found = await environmentOf("told");
    t.match(found, {
      COLOUR: "blue",
      "a.b-c": "dotted",
      P_password: "s3cret",
      PLAIN: "x",
      BEFORE: "$(AFTER)-x-$(PLAIN)-blue-$(NONE)",
      AFTER: "late",
      URL: `http://${ip}:80`,
      KEY: "dotted",
      PASSWORD: "s3cret",
      NAME: "told",
      NAMESPACE: "default",
      UID_OF_POD: pod.metadata.uid,
      APP: "web",
      NOTE: "one\ntwo",
      NODE: "node-1",
      ACCOUNT: "default",
      IP: podIP,
      IPS: podIP,
      HOST: "127.0.0.1",
      HOSTS: "127.0.0.1",
      CPU: allocatable("cpu"),
      CPU_REQUEST: "100",
      MEMORY: "64",
      DISK: allocatable("ephemeral-storage"),
      WEB_SITE_PORT_80_TCP_ADDR: ip,
      KUBERNETES_SERVICE_PORT_HTTPS: "443",
    });
    t.notOk("OPTIONAL" in found);
    t.match(await inside("told", "tr '\\0' '\\n' < /proc/1/cmdline | tail -2"), "x\n$(PLAIN)\n");
    await ready("unlinked");
    const own = await environmentOf("unlinked");
    t.ok("KUBERNETES_SERVICE_HOST" in own, "the API is always told of");
    t.notOk("WEB_SITE_SERVICE_HOST" in own);

    const from = (valueFrom: object) => ({ containers: [{ ...sleeper(), env: [{ name: "X", valueFrom }] }] });
    await create("keyless", from({ configMapKeyRef: { name: "settings", key: "none" } }));
    await create("patient", from({ secretKeyRef: { name: "later", key: "k" } }));
    const waits = (message: string) => (pod: Pod) => {
      const { waiting } = pod.status?.containerStatuses?.[0]?.state ?? {};
      return waiting?.reason === "CreateContainerConfigError" && waiting.message === message;
    };
    const keyless = "couldn't find key none in ConfigMap default/settings";
    await until("keyless", "waits", waits(keyless), patienceMs);
    await said("keyless", `Failed: Error: ${keyless}`);
    await until("patient", "waits", waits('secret "later" not found'), patienceMs);
    await client.create(secrets, { metadata: metadata("later"), stringData: { k: "v" } });
    await ready("patient");
  });

  await t.test("names: hostname, subdomain, the full name in the kernel, aliases", async (t) => {
    const hostAliases = [{ ip: "192.0.2.9", hostnames: ["alias", "other"] }];
    await create("short", { hostname: "front", subdomain: "site", hostAliases });
    await create("full", { subdomain: "site", setHostnameAsFQDN: true });
    await create("host", { hostNetwork: true, hostAliases });
    await create("far-too-long-for-the-kernel-with", { subdomain: "site-of-many-letters", setHostnameAsFQDN: true });
    const [short] = await Promise.all(["short", "full", "host"].map(ready));
    const name = "front.site.default.svc.cluster.local";
    t.equal(await inside("short", "hostname; cat /etc/hostname; hostname -f"), `front\nfront\n${name}\n`);
    t.match(await inside("short", "cat /etc/hosts"), `# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n`);
    t.match(
      await inside("short", "cat /etc/hosts"),
      `${short!.status!.podIP}\t${name}\tfront\n\n# Entries added by HostAliases.\n192.0.2.9\talias\tother\n`,
    );
    t.equal(await inside("full", "hostname"), "full.site.default.svc.cluster.local\n");
    t.equal(await inside("host", "hostname"), `${hostname()}\n`);
    t.equal(
      await inside("host", "cat /etc/hosts"),
      `# Kubernetes-managed hosts file (host network).\n${readFileSync("/etc/hosts", "utf8")}\n# Entries added by HostAliases.\n192.0.2.9\talias\tother\n`,
    );
    const tooLong = "far-too-long-for-the-kernel-with.site-of-many-letters.default.svc.cluster.local";
    await said(
      "far-too-long-for-the-kernel-with",
      `FailedCreatePodSandBox: Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain, FQDN ${tooLong} is too long (64 characters is the max, ${tooLong.length} characters requested)`,
    );
    t.equal((await get("far-too-long-for-the-kernel-with"))?.status?.phase, "Pending");
  });

  await t.test("DNS by policy, cut to what resolvers take", async (t) => {
    const own = { nameservers: ["192.0.2.53"], searches: ["example.org"], options: [{ name: "ndots", value: "2" }] };
    const specs: Record<string, Partial<PodSpec>> = {
      cluster: {},
      own: { dnsConfig: own },
      none: { dnsPolicy: "None", dnsConfig: own },
      default: { dnsPolicy: "Default" },
      "host-net": { hostNetwork: true },
      "cluster-host-net": { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    };
    for (const [name, spec] of Object.entries(specs)) await create(name, spec);
    await Promise.all(Object.keys(specs).map(ready));
    const resolv = (name: string) => inside(name, "cat /etc/resolv.conf");
    const ofCluster = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"];
    // 33 are one too many.
    const search = `search ${[...ofCluster, ...searches.slice(0, 29)].join(" ")}`;
    t.equal(await resolv("cluster"), `${search}\nnameserver 10.96.0.10\noptions ndots:5\n`);
    t.equal(await resolv("own"), `${search}\nnameserver 10.96.0.10\nnameserver 192.0.2.53\noptions ndots:2\n`);
    t.equal(await resolv("none"), "search example.org\nnameserver 192.0.2.53\noptions ndots:2\n");
    const ofHost = `search ${searches.join(" ")}\n${four
      .slice(0, 3)
      .map((ip) => `nameserver ${ip}\n`)
      .join("")}options rotate\n`;
    t.equal(await resolv("default"), ofHost);
    t.equal(await resolv("host-net"), ofHost);
    t.equal(await resolv("cluster-host-net"), await resolv("cluster"));
    await said(
      "cluster",
      `DNSConfigForming: Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${search.slice("search ".length)}`,
    );
    await said(
      "default",
      `DNSConfigForming: Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${four.slice(0, 3).join(" ")}`,
    );
    t.notMatch(await eventsOf("none"), "DNSConfigForming");
  });

  await t.test("ports of the host, of one address and by both protocols, until the pod goes", async (t) => {
    const processIn = async (name: string) => {
      const id = (await get(name))!.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
      return (await docker.getContainer(id).inspect()).State.Pid;
    };
    const speak = "while true; do echo $0 | nc -l -p 80; done";
    const serving = (word: string, hostIP: string) => ({
      ...sleeper(word),
      command: ["sh", "-c", speak, word],
      ports: [{ containerPort: 80, hostPort: tcpPort, hostIP }],
    });
    const datagrams = {
      ...sleeper("udp"),
      ports: [{ containerPort: 81, hostPort: udpPort, protocol: "UDP" as const }],
    };
    // The same port of another address is another port.
    await create("first", { containers: [serving("one", "127.0.0.1"), datagrams] });
    await create("second", { containers: [serving("two", "127.0.0.2")] });
    await Promise.all([ready("first"), ready("second")]);
    t.equal(await eventually("one answers", () => read("127.0.0.1", tcpPort), patienceMs), "one\n");
    t.equal(await eventually("two answers", () => read("127.0.0.2", tcpPort), patienceMs), "two\n");
    // The image has no program that answers datagrams: one of the host's stands in the pod's network.
    const echo =
      'const s = require("node:dgram").createSocket("udp4"); s.on("message", (m, from) => s.send(m, from.port, from.address)).bind(81)';
    const program = spawn("nsenter", [`--net=/proc/${await processIn("first")}/ns/net`, process.execPath, "-e", echo]);
    t.teardown(() => program.kill());
    t.equal(await eventually("datagrams come back", () => ask("127.0.0.1", udpPort), patienceMs), "hello");
    await create("third", { containers: [serving("three", "")] });
    const refused = await until("third", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
    const words = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
    t.match(refused.status, { reason: "NodePorts", message: `Pod was rejected: ${words}` });
    await removeAll(["first", "second", "third"]);
    const rules = await eventually(
      "no rule is left",
      async () => {
        const { stdout } = await run("iptables-save", ["-t", "nat"]);
        return !stdout.includes(`--dport ${tcpPort}`) && !stdout.includes(`--dport ${udpPort}`);
      },
      patienceMs,
    );
    t.ok(rules);
    t.equal(await read("127.0.0.1", tcpPort), undefined);
  });
});
