// Pods wired by the distribution's CNI plugins: loopback, bridge, host-local and portmap, with a configuration and a subnet
// of the test's own. Needs root, Docker, and containernetworking-plugins.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const bridge = "picocni33";
const subnet = "10.252.33.0/24";
const hostPort = 38_083;
const patienceMs = 60_000;

/** A plugin that tells which commands it was given, and fails to add until there is a file "content". */
const moodyPlugin = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const { CNI_COMMAND: command } = process.env;
appendFileSync(__dirname + "/commands", command + "\\n");
const { prevResult } = JSON.parse(readFileSync(0, "utf8"));
const isContent = existsSync(__dirname + "/content");
if (command === "ADD" && !isContent) console.log(JSON.stringify({ code: 100, msg: "not today", details: "it rains" }));
else if (command === "ADD") console.log(JSON.stringify(prevResult));
process.exitCode = command === "ADD" && !isContent ? 1 : 0;
`;

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

/** Of a klog line "E1121 22:18:28.806000 ...". */
function loggedAtMs(line: string): number {
  return Date.parse(`1970-01-01T${line.split(" ")[1]!.slice(0, 12)}Z`);
}

test("pods on CNI plugins", async (t) => {
  const hadChains = (await run("iptables-save", ["-t", "nat"])).stdout.includes(":CNI-HOSTPORT-DNAT");
  t.teardown(() => (hadChains ? undefined : removePortmapChains()));
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, get, until, remove, kubectl, eventsOf } = await podsOf(server);
  t.teardown(() => run("ip", ["link", "del", bridge]).catch(() => undefined));
  // Outside of every package, for Node.js to take the plugin as the script that it is.
  const ownPlugins = mkdtempSync(join(tmpdir(), "picokube-cni-"));
  t.teardown(() => rmSync(ownPlugins, { recursive: true }));
  writeFileSync(join(ownPlugins, "moody"), moodyPlugin, { mode: 0o755 });
  const flags = [`--cni-bin-dir=${ownPlugins},/opt/cni/bin,/usr/lib/cni`];
  const kubelet = await startKubelet(t, server, { bridge: "picotest33", subnet: 33, flags });
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
    // Each try makes and removes a sandbox, which the engine tells of: that is no reason for the next.
    const tries = await eventually(
      "four tries",
      async () => {
        const lines = kubelet.log().split("\n");
        const failed = lines.filter((line) => /Error syncing pod, skipping.*"default\/broken"/.test(line));
        return failed.length >= 4 && failed.map(loggedAtMs);
      },
      patienceMs,
    );
    // After the first comes an update of the pod: the status that was just told.
    const gapsMs = tries.slice(2).map((at, index) => at - tries[index + 1]!);
    t.ok(Math.min(...gapsMs) >= 400, `${gapsMs} ms between tries`);
    configure({ type: "moody" });
    await create("moody");
    const words = 'plugin type="moody" failed (add): not today; it rains';
    await eventually(words, async () => (await eventsOf("moody")).includes(words), patienceMs);
    const told = (command: string) => readFileSync(join(ownPlugins, "commands"), "utf8").split(command).length - 1;
    await eventually("what failed is undone", async () => told("DEL") >= told("ADD"), patienceMs);
    writeFileSync(join(ownPlugins, "content"), "");
    await until("moody", "heals", isReady, patienceMs);
    const before = told("DEL");
    await remove("moody");
    t.ok(told("DEL") > before);
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

  await t.test("a configuration that goes leaves the built-in network; one that comes is taken up", async (t) => {
    unlinkSync(join(kubelet.rootDir, "cni", "10-test.conflist"));
    await create("built-in");
    const { status } = await until("built-in", "ready", isReady, patienceMs);
    t.match(status?.podIP, /^10\.251\.33\./);
    configure();
    await create("plugged");
    t.match((await until("plugged", "ready", isReady, patienceMs)).status?.podIP, /^10\.252\.33\./);
    // Each leaves by the way it came.
    for (const name of ["built-in", "plugged"]) await remove(name);
    t.same(held(), []);
    t.equal((await run("ip", ["-o", "link", "show", "master", "picotest33"])).stdout, "");
  });

  t.equal(await kubelet.stop(), 0);
});
