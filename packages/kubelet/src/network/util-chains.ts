// The kubelet's own chains in iptables: one that lets nobody from outside reach the host's loopback, one by which other programs
// learn which kind of iptables this host uses, and canaries that tell when somebody flushed the tables. Mirrors upstream's
// kubelet_network_linux.go. Touches no other chain but for two jumps.

import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { runCommand } from "./run-command.js";

type Family = "IPv4" | "IPv6";

export interface UtilChains {
  /** The first word of the chains' names: KUBE, but for further clusters on one host. */
  readonly prefix: string;
  /** "": the host's own choice. */
  readonly variant?: "" | "-nft" | "-legacy";
}

const families: readonly Family[] = ["IPv4", "IPv6"];
const canaryTables = ["mangle", "nat", "filter"] as const;
const guarded = ["OUTPUT", "INPUT"] as const;
const repairPeriodMs = 60_000;

/** Throws for what is no first word of chains' names: with the longest ending it must have at most 28 characters. */
export function checkChainPrefix(text: string): void {
  if (!/^[A-Z][A-Z0-9]{0,3}$/.test(text)) throw new Error("one to four capital letters or digits are wanted");
}

const namesOf = (prefix: string) => ({
  firewall: `${prefix}-FIREWALL`,
  hint: `${prefix}-IPTABLES-HINT`,
  canary: `${prefix}-KUBELET-CANARY`,
});

/** Input for iptables-restore --noflush. IPv6 has no way to the loopback that would need a rule. */
export function utilChainsInput(prefix: string, family: Family): string {
  const { firewall, hint, canary } = namesOf(prefix);
  // Without it, route_localnet, which node ports on 127.0.0.1 need, would let neighbours on the link in.
  const rule = [
    `-A ${firewall} -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8`,
    "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
  ].join(" ");
  const own = {
    mangle: [`:${hint} - [0:0]`],
    nat: [],
    filter: family === "IPv4" ? [`:${firewall} - [0:0]`, rule] : [],
  };
  return canaryTables
    .flatMap((table) => [`*${table}`, `:${canary} - [0:0]`, ...own[table], "COMMIT"])
    .concat("")
    .join("\n");
}

const commandOf = (family: Family) => (family === "IPv4" ? "iptables" : "ip6tables");

function iptables({ variant = "" }: UtilChains, family: Family, args: readonly string[]): Promise<string> {
  return runCommand({ program: `${commandOf(family)}${variant}`, args: ["-w", "5", ...args] });
}

const holds = (question: Promise<unknown>): Promise<boolean> =>
  question.then(
    () => true,
    () => false,
  );

async function ensureFamily(chains: UtilChains, family: Family): Promise<void> {
  const { firewall } = namesOf(chains.prefix);
  await runCommand({
    program: `${commandOf(family)}${chains.variant ?? ""}-restore`,
    args: ["--noflush", "-w", "5"],
    input: utilChainsInput(chains.prefix, family),
  });
  if (family !== "IPv4") return;
  for (const chain of guarded) {
    const jump = [chain, "-j", firewall];
    if (!(await holds(iptables(chains, family, ["-C", ...jump])))) await iptables(chains, family, ["-I", ...jump]);
  }
}

/** Makes what is missing of both families; idempotent. A family that the host lacks is passed over. */
export async function ensureUtilChains(chains: UtilChains, logger: Logger): Promise<void> {
  for (const family of families) {
    await ensureFamily(chains, family).catch((err: unknown) =>
      logger.info("Failed to initialize iptables rules; some functionality may be missing.", { protocol: family, err }),
    );
  }
}

/** Whether they still stand: the canary, and the jumps, which `iptables -F` takes and canaries outlive. */
export async function utilChainsStand(chains: UtilChains): Promise<boolean> {
  const { canary, firewall } = namesOf(chains.prefix);
  return holds(
    Promise.all([
      iptables(chains, "IPv4", ["-t", "mangle", "-S", canary]),
      ...guarded.map((chain) => iptables(chains, "IPv4", ["-C", chain, "-j", firewall])),
    ]),
  );
}

/** Keeps them there until the signal aborts. */
export async function runUtilChains(
  chains: UtilChains,
  { clock, logger }: { clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  await ensureUtilChains(chains, logger);
  while (!signal.aborted) {
    await clock.sleep(repairPeriodMs, signal).catch(() => undefined);
    if (signal.aborted || (await utilChainsStand(chains))) continue;
    logger.v(2).info("Reloading after iptables flush");
    await ensureUtilChains(chains, logger);
  }
}

/** Removes them; what is not there is no fault. */
export async function removeUtilChains(chains: UtilChains): Promise<void> {
  const { firewall, hint, canary } = namesOf(chains.prefix);
  const owned = [
    ["filter", firewall],
    ["mangle", hint],
    ...canaryTables.map((table) => [table, canary] as const),
  ] as const;
  for (const family of families) {
    const attempt = (args: readonly string[]) => holds(iptables(chains, family, args));
    for (const chain of guarded) {
      // kube-proxy, which makes the same jump, may have done so at the same moment.
      while (await attempt(["-D", chain, "-j", firewall]));
    }
    for (const [table, chain] of owned) {
      if (await attempt(["-t", table, "-F", chain])) await attempt(["-t", table, "-X", chain]);
    }
  }
}
