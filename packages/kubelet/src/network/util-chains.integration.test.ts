// The kubelet's chains in a real kernel, by both kinds of iptables, in a network namespace of the test's own. Needs root,
// iproute2 and iptables.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createLogger } from "@picokube/component-base/logger";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { removeUtilChains, runUtilChains, utilChainsStand } from "./util-chains.js";

const inside = "PICOKUBE_TEST_NAMESPACE";
const logger = createLogger({ name: "test", verbosity: 0 });
const rule =
  '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';

function stories(): void {
  for (const variant of ["-nft", "-legacy"] as const) {
    test(`iptables${variant}`, async (t) => {
      const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: "utf8" });
      const iptables = (...args: string[]) => run(`iptables${variant}`, ...args);
      const saved = (command = "iptables") =>
        run(`${command}${variant}-save`)
          .split("\n")
          .filter((line) => /KUBE-|MINE/.test(line))
          .map((line) => line.replace(/ \[\d+:\d+\]/, ""))
          .sort();
      iptables("-N", "MINE");
      iptables("-A", "INPUT", "-j", "MINE");
      t.teardown(() => iptables("-F"));
      const before = saved();

      const clock = steppingClock(0);
      const stop = new AbortController();
      const chains = { prefix: "KUBE", variant };
      const running = runUtilChains(chains, { clock, logger }, stop.signal);
      await eventually("the chains", () => utilChainsStand(chains), 60_000);
      const canaries = [":KUBE-KUBELET-CANARY -", ":KUBE-KUBELET-CANARY -", ":KUBE-KUBELET-CANARY -"];
      const wanted = [
        ...before,
        ...canaries,
        ":KUBE-FIREWALL -",
        ":KUBE-IPTABLES-HINT -",
        "-A INPUT -j KUBE-FIREWALL",
        "-A OUTPUT -j KUBE-FIREWALL",
        rule,
      ].sort();
      t.same(saved(), wanted);
      await eventually("IPv6", async () => saved("ip6tables").length === 4, 60_000);
      t.match(iptables("-S", "INPUT"), /^-P INPUT ACCEPT\n-A INPUT -j KUBE-FIREWALL\n/, "asked before all others");

      // `iptables -F` leaves chains, and so canaries, where they are; somebody else takes them all.
      for (const flush of [["-F"], ["-t", "mangle", "-X"]]) {
        iptables(...flush);
        if (flush[0] === "-F") iptables("-A", "INPUT", "-j", "MINE");
        t.notOk(await utilChainsStand(chains));
        await eventually(
          "they are repaired",
          async () => {
            await clock.advance(60_000);
            return utilChainsStand(chains);
          },
          60_000,
        );
        t.same(saved(), wanted);
      }
      stop.abort();
      await running;
      await removeUtilChains(chains);
      await removeUtilChains(chains);
      t.same(saved(), before, "all of the others' is left, and nothing of ours");
      t.same(saved("ip6tables"), []);
    });
  }
}

if (process.env[inside]) stories();
else {
  test("in a network namespace", async (t) => {
    const env = { ...process.env, [inside]: "1" };
    await t.spawn("unshare", ["--net", process.execPath, fileURLToPath(import.meta.url)], { env }, "its stories");
  });
}
