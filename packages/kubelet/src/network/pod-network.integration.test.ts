// The pod network on this host: two namespaces on a bridge of their own reach each other and the gateway, and all of
// it goes away again. Needs root, iproute2 and iptables.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createLogger } from "@picokube/component-base/logger";
import { test } from "tap";
import { cleanupPodNetwork, createPodNetwork } from "./pod-network.js";
import { runCommand } from "./run-command.js";

const bridge = "picotest7";
const podCidr = "10.251.7.0/24";

function namespace(): ChildProcess {
  return spawn("unshare", ["--net", "sleep", "60"], { stdio: "ignore" });
}

test("pods reach one another over the bridge", async (t) => {
  const directory = t.testdir();
  const pods = [namespace(), namespace()];
  t.teardown(async () => {
    for (const pod of pods) pod.kill("SIGKILL");
    await cleanupPodNetwork({ bridge, directory });
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const logger = createLogger({ name: "test", verbosity: 0 });
  const network = createPodNetwork({ bridge, clusterCidr: podCidr, directory, logger });
  t.same(network.problems(), ["pod network: waiting for the node's pod CIDR"]);
  t.throws(() => network.reserve("early/0"), /no pod CIDR/);
  await network.configure(podCidr);
  await network.configure(podCidr);
  t.same(network.problems(), []);

  const [first, second] = [network.reserve("a/0"), network.reserve("b/0")];
  t.same([first, second], ["10.251.7.2", "10.251.7.3"]);
  t.equal(network.addressOf("a/0"), undefined, "reserved, but not wired yet");
  await network.attach("a/0", pods[0]!.pid!);
  t.equal(network.addressOf("a/0"), first);
  await network.attach("b/0", pods[1]!.pid!);

  const inFirst = (args: string[]) =>
    runCommand({ program: "nsenter", args: [`--net=/proc/${pods[0]!.pid}/ns/net`, ...args] });
  const shown = await inFirst(["ip", "-j", "addr", "show", "dev", "eth0"]);
  t.match(JSON.parse(shown), [{ address: "0a:58:0a:fb:07:02", addr_info: [{ local: first, prefixlen: 24 }] }]);
  const greeter = 'require("node:net").createServer((socket) => socket.end("hi\\n")).listen(80)';
  const listener = spawn(
    "nsenter",
    [
      `--net=/proc/${pods[1]!.pid}/ns/net`,
      process.execPath,
      "-e",
      `${greeter}.on("listening", () => console.log("up"))`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.teardown(() => listener.kill());
  await once(listener.stdout, "data");
  t.equal(await inFirst(["busybox", "nc", "-w", "3", second, "80"]), "hi\n");
  t.match(await runCommand({ program: "iptables", args: ["-S", "FORWARD"] }), `-A FORWARD -j PICO-FORWARD-${bridge}`);

  const ports = [{ hostIp: "", hostPort: 38_080, protocol: "tcp", containerPort: 80 }] as const;
  await network.publish("b/0", ports);
  const ask = (...address: string[]) => runCommand({ program: "busybox", args: ["nc", "-w", "3", ...address] });
  t.equal(await ask("127.0.0.1", "38080"), "hi\n", "from the host's loopback");
  t.equal(await inFirst(["busybox", "nc", "-w", "3", "10.251.7.1", "38080"]), "hi\n", "from another pod");
  const inSecond = [`--net=/proc/${pods[1]!.pid}/ns/net`, "busybox", "nc", "-w", "3", "10.251.7.1", "38080"];
  t.equal(await runCommand({ program: "nsenter", args: inSecond }), "hi\n", "from the pod itself");
  const again = createPodNetwork({ bridge, clusterCidr: podCidr, directory, logger });
  await again.configure(podCidr);
  t.equal(await ask("127.0.0.1", "38080"), "hi\n", "after a restart");
  await network.configure(podCidr);

  await network.detach("a/0");
  await network.detach("a/0");
  t.equal(network.addressOf("a/0"), undefined);
  t.same(network.owners(), ["b/0"]);
  await network.detach("b/0");
  const natRules = await runCommand({ program: "iptables", args: ["-t", "nat", "-S"] });
  t.notMatch(natRules, "38080");
  await cleanupPodNetwork({ bridge, directory });
  const rules = await runCommand({ program: "iptables-save", args: [] });
  t.notMatch(rules, new RegExp(`\\b${bridge}\\b`));
});
