// Pods wired by the distribution's CNI plugins: loopback, bridge, host-local and portmap, with a configuration and a subnet
// of the test's own. Needs root, Docker, and containernetworking-plugins.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { eventually, isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const bridge = "picocni33";
const subnet = "10.252.33.0/24";
const hostPort = 38_083;
const patienceMs = 60_000;

/** What the port says, or undefined. */
function read(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    connect({ host: "127.0.0.1", port })
      .on("data", (chunk) => {
        text += chunk;
      })
      .on("close", () => resolve(text === "" ? undefined : text))
      .on("error", () => resolve(undefined));
  });
}

/** portmap leaves its three chains and the jumps to them behind; they go unless they were here before the test. */
async function removePortmapChains(): Promise<void> {
  const { stdout } = await run("iptables-save", ["-t", "nat"]);
  const rules = stdout.split("\n").filter((line) => /^-A \S+ .*-j CNI-HOSTPORT-/.test(line));
  const nat = (args: string[]) => run("iptables", ["-w", "5", "-t", "nat", ...args]).catch(() => undefined);
  // The quotes of a comment are the shell's.
  for (const rule of rules) {
    const words = rule.match(/"[^"]*"|\S+/g) ?? [];
    await nat(["-D", ...words.slice(1).map((word) => word.replaceAll('"', ""))]);
  }
  for (const chain of ["CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK"]) {
    await nat(["-F", chain]);
    await nat(["-X", chain]);
  }
}

test("pods on CNI plugins", async (t) => {
  const hadChains = (await run("iptables-save", ["-t", "nat"])).stdout.includes(":CNI-HOSTPORT-DNAT");
  t.teardown(() => (hadChains ? undefined : removePortmapChains()));
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, get, until, remove, kubectl, eventsOf } = await podsOf(server);
  t.teardown(() => run("ip", ["link", "del", bridge]).catch(() => undefined));
  const kubelet = await startKubelet(t, server, { bridge: "picotest33", subnet: 33 });
  const leases = join(kubelet.rootDir, "leases");
  const configure = (...more: object[]) => {
    const ipam = { type: "host-local", dataDir: leases, ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] };
    const plugins = [
      { type: "bridge", bridge, isGateway: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
      ...more,
    ];
    const list = { cniVersion: "1.0.0", name: "test-network", plugins };
    writeFileSync(join(kubelet.rootDir, "cni", "10-test.conflist"), JSON.stringify(list));
  };
  mkdirSync(join(kubelet.rootDir, "cni"));
  configure();
  const held = () => {
    const folder = join(leases, "test-network");
    return existsSync(folder) ? readdirSync(folder).filter((name) => /^\d/.test(name)) : [];
  };
  const attached = () => readdirSync(join(kubelet.rootDir, "network", "cni"));
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  await t.test("a pod has the address that the plugins gave, and its port of the host", async (t) => {
    const command = ["sh", "-c", "while true; do echo hello | nc -l -p 80; done"];
    const container = { ...sleeper(), command, ports: [{ containerPort: 80, hostPort }] };
    await create("web", { terminationGracePeriodSeconds: 1, containers: [container] });
    const { status } = await until("web", "ready", isReady, patienceMs);
    t.match(status?.podIP, /^10\.252\.33\./);
    const links = await kubectl("exec", "web", "--", "ip", "-4", "addr");
    t.match(links, new RegExp(`inet ${status?.podIP}/24 .*eth0`));
    t.match(links, /inet 127\.0\.0\.1\/8/, "loopback is up");
    t.match(await kubectl("exec", "web", "--", "cat", "/etc/hosts"), `${status?.podIP}\tweb`);
    t.equal(await eventually("the port answers", () => read(hostPort), patienceMs), "hello\n");
    t.same(held(), [status?.podIP]);
    t.match((await run("ip", ["-o", "link", "show", "master", bridge])).stdout, /veth/);
    await t.rejects(run("ip", ["link", "show", "picotest33"]), "the built-in network has not been set up");
  });

  await t.test("a plugin that fails is told, and nothing of the attempt stays", async (t) => {
    configure({ type: "no-such-plugin" });
    await create("broken");
    const said = await eventually(
      "the event",
      async () => {
        const words = await eventsOf("broken");
        return words.includes("FailedCreatePodSandBox") && words;
      },
      patienceMs,
    );
    t.match(
      said,
      /FailedCreatePodSandBox: Failed to create pod sandbox: failed to set up sandbox container "[0-9a-f]{64}" network for pod "broken": networkPlugin cni failed to set up pod "broken_default" network: plugin type="no-such-plugin" failed \(add\): failed to find plugin "no-such-plugin" in path \[/,
    );
    configure();
    await until("broken", "heals", isReady, patienceMs);
    t.equal(held().length, 2);
  });

  await t.test("a kubelet that starts anew gives back what one before it took", async (t) => {
    const before = (await get("web"))?.status?.podIP;
    t.equal(await kubelet.stop(), 0);
    kubelet.start();
    await eventually(
      "it answers again",
      () =>
        kubectl("exec", "web", "--", "true").then(
          () => true,
          () => false,
        ),
      patienceMs,
    );
    t.match((await get("web"))?.status, { podIP: before, containerStatuses: [{ restartCount: 0 }] });
    for (const name of ["web", "broken"]) await remove(name);
    await eventually("no attachment", async () => attached().length === 0, patienceMs);
    t.same(held(), []);
    t.notMatch((await run("iptables-save", ["-t", "nat"])).stdout, `--dport ${hostPort}`);
  });

  t.equal(await kubelet.stop(), 0);
});
