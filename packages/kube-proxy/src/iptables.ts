// The one place that runs iptables: reads what is there, writes by iptables-restore. Decides nothing but which of the
// two kinds of iptables to run.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { IpFamily } from "./ip-family.js";
import { canaryTables, type Probe, type Saves, type TableName } from "./jumps.js";

export class IptablesError extends Error {
  override readonly name = "IptablesError";
}

/** "nft" and "legacy" speak to two different firewalls of the kernel; "" is what the host's own iptables is. */
export type IptablesVariant = "" | "nft" | "legacy";

export interface Iptables {
  readonly family: IpFamily;
  /** Which firewall it speaks to: from `iptables --version`. */
  readonly backend: "nf_tables" | "legacy";
  /** What iptables-save prints for the table. */
  save(table: TableName): Promise<string>;
  /** iptables-restore --noflush: all of it or nothing. */
  restore(input: string): Promise<void>;
  /** Whether the chain stands in the table, and a rule that ends as the probe says in it. */
  holds(probe: Probe): Promise<boolean>;
}

export interface IptablesOptions {
  readonly family?: IpFamily;
  readonly variant?: IptablesVariant;
  /** A path to enter instead of our own network namespace. */
  readonly networkNamespace?: string;
}

/** Commands wait up to five seconds for another program's lock. Rejects when the commands are not there or the kernel
 *  lacks the family. */
export async function openIptables({
  family = "IPv4",
  variant = "",
  networkNamespace,
}: IptablesOptions = {}): Promise<Iptables> {
  const name = `${family === "IPv6" ? "ip6tables" : "iptables"}${variant && `-${variant}`}`;
  const run = (command: string, args: readonly string[], input?: string) =>
    networkNamespace === undefined
      ? runCommand(command, args, input)
      : runCommand("nsenter", [`--net=${networkNamespace}`, command, ...args], input);
  const version = await run(name, ["--version"]);
  // Upstream's Present(): without the nat table there is nothing to do.
  await run(name, ["-w", "5", "-t", "nat", "-S", "POSTROUTING"]);
  return {
    family,
    backend: version.includes("nf_tables") ? "nf_tables" : "legacy",
    save: (table) => run(`${name}-save`, ["-t", table]),
    async restore(input) {
      await run(`${name}-restore`, ["-w", "5", "--noflush"], input);
    },
    async holds({ table, chain, rule }) {
      try {
        const rules = await run(name, ["-w", "5", "-t", table, "-S", chain]);
        return rules.split("\n").some((line) => line.endsWith(rule));
      } catch (error) {
        if (error instanceof IptablesError && /No chain|does not exist|incompatible/.test(error.message)) return false;
        throw error;
      }
    },
  };
}

/** The three tables as they are. */
export async function saveAll(iptables: Iptables): Promise<Saves> {
  const [mangle, nat, filter] = await Promise.all(canaryTables.map((table) => iptables.save(table)));
  return { mangle: mangle!, nat: nat!, filter: filter! };
}

/** Runs restores in their order; the next input is made while one runs. */
export async function restoreAll(iptables: Iptables, inputs: Iterable<string>): Promise<void> {
  let running = Promise.resolve();
  for (const input of inputs) {
    await running;
    running = iptables.restore(input);
    // Its failure is told where it is waited for, even when making the next input fails first.
    running.catch(() => {});
  }
  await running;
}

const hint = /^:(KUBE-IPTABLES-HINT|KUBE-KUBELET-CANARY) /m;

/** Which kind other programs of this host use, as upstream's iptables-wrappers finds out: by the kubelet's chains, else by
 *  who has more rules; "" (the host's own choice) when there is no difference, or only one kind is installed. */
export async function detectVariant({
  networkNamespace,
}: {
  networkNamespace?: string;
} = {}): Promise<IptablesVariant> {
  const saved = async (variant: IptablesVariant) => {
    // The legacy command would load its modules into a kernel that does without them.
    if (variant === "legacy" && (await readFile("/proc/net/ip_tables_names", "utf8").catch(() => "")) === "") return "";
    const enter = networkNamespace === undefined ? [] : ["nsenter", `--net=${networkNamespace}`];
    const [command, ...args] = [...enter, `iptables-${variant}-save`];
    return runCommand(command!, args).catch(() => "");
  };
  const [nft, legacy] = await Promise.all([saved("nft"), saved("legacy")]);
  if (hint.test(nft)) return "nft";
  if (hint.test(legacy)) return "legacy";
  const rules = (save: string) => save.match(/^-/gm)?.length ?? 0;
  if (rules(nft) === rules(legacy)) return "";
  return rules(legacy) > rules(nft) ? "legacy" : "nft";
}

function runCommand(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    const output: Buffer[] = [];
    const words: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => words.push(chunk));
    child.stdin.on("error", () => {});
    child.once("error", (error) =>
      reject(new IptablesError(`cannot run ${command}: ${error.message}`, { cause: error })),
    );
    child.once("close", (code) => {
      if (code === 0) return resolve(Buffer.concat(output).toString());
      const text = Buffer.concat(words).toString().trim();
      const line = /line (\d+)/.exec(text)?.[1];
      const culprit = line ? `; that line is: ${input.split("\n")[Number(line) - 1]}` : "";
      reject(new IptablesError(`${command} ${args.join(" ")} exited with ${code}: ${text}${culprit}`));
    });
    child.stdin.end(input);
  });
}
