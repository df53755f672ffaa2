import { execFileSync } from "node:child_process";
import { createLogger } from "@picokube/component-base/logger";
import { test } from "tap";
import { detectVariant, openIptables, saveAll } from "./iptables.js";
import { canary, canaryTables, chainsInSave, planCleanup, planJumps, probes } from "./jumps.js";
import { inNetworkNamespace } from "./network-namespace.testing.js";
import { deleteCounters, ensureCounters } from "./packet-counters.js";
import { restoreInput } from "./restore-input.js";
import { invalidDropped, localhostNodePortsAccepted } from "./rule-set.js";
import { chainsIn } from "./rule-table.js";
import { shapes, writeOf } from "./shapes.testing.js";

const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { encoding: "utf8" });

const logger = createLogger({ name: "test" });

// What iptables-save shows besides counters and the date.
const plain = (saves: object) => JSON.stringify(saves).replace(/\[\d+:\d+\]|# [^\\]*\\n/g, "");

inNetworkNamespace(import.meta.url, () => {
  for (const variant of ["nft", "legacy"] as const)
    for (const family of ["IPv4", "IPv6"] as const)
      test(`F1 iptables ${variant}, ${family}: the kernel takes every shape, and gives back what was there`, async (t) => {
        const iptables = await openIptables({ family, variant });
        t.equal(iptables.backend, variant === "nft" ? "nf_tables" : "legacy");
        const command = `${family === "IPv6" ? "ip6tables" : "iptables"}-${variant}`;
        run(command, "-N", "MINE");
        run(command, "-A", "MINE", "-p", "tcp", "--dport", "1", "-j", "DROP");
        run(command, "-A", "FORWARD", "-j", "MINE");
        run(command, "-t", "nat", "-N", "KUBE-KUBELET-CANARY");
        t.teardown(() => run(command, "-F"));
        const before = plain(await saveAll(iptables));
        t.strictSame([...(await ensureCounters("KUBE", { logger }))], [invalidDropped, localhostNodePortsAccepted]);

        await iptables.restore(planJumps("KUBE", await saveAll(iptables)));
        t.equal(planJumps("KUBE", await saveAll(iptables)), "", "jumps and canaries are recognised");
        for (const [name, shape] of Object.entries(shapes)) {
          if ((shape.settings?.family ?? "IPv4") !== family) continue;
          const write = writeOf(shape);
          await iptables.restore(restoreInput(write));
          const { nat } = await saveAll(iptables);
          const missing = [...chainsIn(write.nat)]
            .map(([chain]) => chain)
            .filter((chain) => !chainsInSave(nat).includes(chain));
          t.strictSame(missing, [], name);
        }
        for (const probe of probes("KUBE")) t.ok(await iptables.holds(probe), JSON.stringify(probe));
        t.notOk(await iptables.holds({ table: "nat", chain: "KUBE-NO-SUCH", rule: "" }));
        for (const table of canaryTables) t.match(await iptables.save(table), `:${canary("KUBE")} `);

        run(command, "-F", "KUBE-FORWARD");
        const flushed = await Promise.all(probes("KUBE").map((probe) => iptables.holds(probe)));
        t.equal(flushed.filter((holds) => !holds).length, 1, "a flushed chain is noticed");

        await iptables.restore(planCleanup("KUBE", await saveAll(iptables)));
        t.equal(plain(await saveAll(iptables)), before, "nothing of ours is left, and all of the others'");
        t.equal(planCleanup("KUBE", await saveAll(iptables)), "");
        await ensureCounters("KABC", { logger });
        await deleteCounters("KUBE");
        t.match(run("nfacct", "list"), /= KABC_localhost_nps_accepted;/, "another cluster's stay");
        t.notMatch(run("nfacct", "list"), /_pkts/);
        await deleteCounters("KABC");
        t.equal(run("nfacct", "list"), "", "the counters have gone too");
        await t.rejects(iptables.restore("*nat\n-A NO-SUCH-CHAIN -j ACCEPT\nCOMMIT\n"), { message: /NO-SUCH-CHAIN/ });
      });

  test("F1 which iptables: the kubelet's hint, else who has more rules", async (t) => {
    for (const variant of ["nft", "legacy"]) {
      run(`iptables-${variant}`, "-F");
      run(`iptables-${variant}`, "-t", "nat", "-F");
      run(`iptables-${variant}`, "-t", "nat", "-X");
    }
    t.equal(await detectVariant(), "", "no rules at all: the host's own choice");
    run("iptables-legacy", "-A", "FORWARD", "-p", "tcp", "-j", "ACCEPT");
    t.equal(await detectVariant(), "legacy", "more rules");
    run("iptables-nft", "-t", "mangle", "-N", "KUBE-IPTABLES-HINT");
    t.equal(await detectVariant(), "nft", "a kubelet was here");
  });
});
