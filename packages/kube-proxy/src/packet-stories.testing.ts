// What the stories of packets share: ports, faults as curl tells them, and what is read of the rules and of the metrics.

import { execFileSync } from "node:child_process";
import { eventually } from "@picokube/testing/eventually";
import type { Answer } from "./proxied-node.testing.js";

export const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { encoding: "utf8" });

export const http = (protocol = "TCP") => [{ port: 80, protocol, targetPort: 8080 }];
/** The node's own address as pods see it. */
export const bridgeIp = "10.244.0.1";

// What curl says of a port that refuses, and of one that never answers.
export const refused = { message: /refused|Couldn.t connect/ };
export const impatient = ["--max-time", "2"];
export const silence = { message: /timed out/ };

/** Who answers in so many tries. */
export async function namesOf(tries: number, ask: () => Promise<Answer>): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < tries; i++) names.add((await ask()).name);
  return [...names].sort().join("");
}

/** kube-proxy's own metrics: name and labels → value. */
export async function metricsOf(): Promise<Record<string, number>> {
  const text = await (await fetch("http://127.0.0.1:10249/metrics")).text();
  const lines = text.split("\n").filter((line) => line.startsWith("kubeproxy_"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

/** Resolves once the proxy has written rules that speak of the Service, in the firewall of that kind. */
export function ruled(name: string, pattern = "cluster IP|has no", save = "iptables-save"): Promise<unknown> {
  const rule = new RegExp(`default/${name} (${pattern})`);
  return eventually(`rules of ${name}`, async () => rule.test(run(save)));
}
