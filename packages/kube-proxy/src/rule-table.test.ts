import { test } from "tap";
import { restoreInput, restoreInputs } from "./restore-input.js";
import { emptyRuleSet, type RuleSet } from "./rule-set.js";
import { createRuleTable } from "./rule-table.js";
import { servicePorts } from "./service-ports.js";
import { serviceRules } from "./service-rules.js";
import { service, settings, shapes, slice } from "./shapes.testing.js";

const from = { family: "IPv4", nodeName: "node-1", zone: "" } as const;
const nothing = { nat: [], filter: [] };

function rulesOf(ips: readonly string[], clusterIP = "10.96.0.20", name = "web"): RuleSet {
  const rules = emptyRuleSet();
  const one = service({ clusterIP });
  one.metadata.name = name;
  for (const port of servicePorts(one, [slice(...ips.map((ip) => ({ ip })))], from))
    serviceRules(port, settings, rules);
  return rules;
}

function tableWith(services: Readonly<Record<string, RuleSet>>) {
  const table = createRuleTable({ prefix: "KUBE", settings: () => settings });
  for (const [name, rules] of Object.entries(services)) table.set(name, rules);
  table.everything(nothing);
  table.commit();
  return table;
}

test("F1 only chains that changed are written, and those that went are removed", (t) => {
  const table = tableWith({ a: rulesOf(["10.244.0.5", "10.244.0.6"]), b: rulesOf(["10.244.0.7"], "10.96.0.21", "b") });
  t.equal(restoreInput(table.changes()), "", "nothing changed");

  table.set("a", rulesOf(["10.244.0.5", "10.244.0.6"]));
  t.equal(restoreInput(table.changes()), "", "made anew, but the same");

  table.set("a", rulesOf(["10.244.0.5"]));
  const fewer = restoreInput(table.changes());
  t.match(
    fewer,
    /^\*nat\n:KUBE-SVC-\S+ - \[0:0\]\n:KUBE-SEP-\S+ - \[0:0\]\n-A KUBE-SVC[\s\S]*-X KUBE-SEP-\S+\nCOMMIT\n$/,
  );
  t.notMatch(fewer, /KUBE-SERVICES|KUBE-POSTROUTING|default\/b/);
  t.equal(restoreInput(table.changes()), fewer, "it is still to be written while nobody says that it was");
  table.commit();
  t.equal(restoreInput(table.changes()), "");

  table.set("a", rulesOf([]));
  const none = table.changes();
  t.match(none.nat.shared.get("KUBE-SERVICES"), /default\/b cluster IP/, "a shared chain is written whole");
  t.match(none.filter.shared.get("KUBE-SERVICES"), /default\/web has no endpoints.* -j REJECT\n$/);
  t.equal(none.nat.removals.length, 2);
  table.commit();

  table.set("a", undefined);
  t.ok(table.changes().filter.shared.has("KUBE-SERVICES"));
  table.commit();
  t.equal(table.count("nat"), 4 + 2 + 1 + 1 + 2, "top-level rules, b's and the node ports'");
  t.end();
});

test("F1 a full write removes what an earlier process left, and nobody else's chains", (t) => {
  const table = tableWith({ a: rulesOf(["10.244.0.5"]) });
  const stale = "KUBE-SVC-AAAAAAAAAAAAAAAA";
  const { nat } = table.everything({
    nat: [
      stale,
      "KUBE-SERVICES",
      "KUBE-PROXY-CANARY",
      "KUBE-KUBELET-CANARY",
      "DOCKER",
      "KUBE-SVC-MINE",
      "PICO-POSTRT-x",
    ],
    filter: [],
  });
  t.strictSame(nat.removals, [stale]);
  t.end();
});

test("F1 a large write comes in pieces that are each in order", (t) => {
  const table = createRuleTable({ prefix: "KUBE", settings: () => settings });
  const balancer = shapes["load-balancer-source-ranges"]!.service;
  for (let i = 0; i < 600; i++) {
    const rules = emptyRuleSet();
    const one = { ...balancer, metadata: { ...balancer.metadata, name: `s${i}` } };
    const ips = [`10.244.1.${i % 250}`, `10.244.2.${i % 250}`];
    for (const port of servicePorts(one, [slice(...ips.map((ip) => ({ ip })))], from))
      serviceRules(port, settings, rules);
    table.set(`default/s${i}`, rules);
  }
  const stale = "KUBE-SEP-AAAAAAAAAAAAAAAA";
  const write = table.everything({ nat: [stale], filter: [] });
  const pieces = [...restoreInputs(write, { inPieces: true })];
  t.ok(pieces.length > 4);
  const there = new Set<string>();
  const body = (text: string) => text.split("\n").filter((line) => /^(:|-A|-X)/.test(line));
  for (const piece of pieces) {
    for (const line of body(piece)) {
      const declared = /^:(\S+)/.exec(line)?.[1];
      if (declared) there.add(declared);
      const target = / -j (KUBE-\S+)$/.exec(line)?.[1];
      if (target && !there.has(target)) t.fail(`${line} leads to a chain that is not there yet`);
    }
  }
  t.strictSame(pieces.flatMap(body).sort(), body(restoreInput(write)).sort(), "together they are the whole write");
  t.match(pieces.at(-1), `-X ${stale}`, "removals come last");
  t.strictSame([...restoreInputs(write, { inPieces: false })], [restoreInput(write)], "or it is one");
  t.end();
});

test("F1 of many removals, what leads to a chain goes before it", (t) => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const name = (kind: string, i: number) =>
    `KUBE-${kind}-${[...String(i).padStart(16, "0")].map((digit) => letters[Number(digit)]).join("")}`;
  const kinds = ["SEP", "SVC", "EXT", "FW"];
  const found = kinds.flatMap((kind) => Array.from({ length: 3_000 }, (_, i) => name(kind, i)));
  const table = createRuleTable({ prefix: "KUBE", settings: () => settings });
  const pieces = [...restoreInputs(table.everything({ nat: found, filter: [] }), { inPieces: true })];
  const removed = pieces.flatMap((piece) => [...piece.matchAll(/^-X KUBE-(\w+)-/gm)].map(([, kind]) => kind!));
  t.equal(removed.length, found.length);
  t.strictSame([...new Set(removed)], ["FW", "EXT", "SVC", "SEP"], "one kind after the other");
  t.strictSame(
    [...removed].sort((a, b) => kinds.indexOf(b) - kinds.indexOf(a)),
    removed,
  );
  t.end();
});
