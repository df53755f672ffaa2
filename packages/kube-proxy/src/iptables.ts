// The one place that runs iptables: reads what is there, writes one atomic restore a table set. Decides nothing.

import { spawn } from "node:child_process";

export class IptablesError extends Error {
  override readonly name = "IptablesError";
}

export interface Iptables {
  /** What iptables-save prints for the table. */
  save(table: string): Promise<string>;
  /** iptables-restore --noflush: all of it or nothing. */
  restore(input: string): Promise<void>;
  /** Whether the chain stands in the table. */
  chainExists(table: string, chain: string): Promise<boolean>;
}

/** Commands wait up to five seconds for another program's lock. networkNamespace: a path to enter instead of our own. */
export function createIptables({ networkNamespace }: { networkNamespace?: string } = {}): Iptables {
  const run = (command: string, args: readonly string[], input?: string) =>
    networkNamespace === undefined
      ? runCommand(command, args, input)
      : runCommand("nsenter", [`--net=${networkNamespace}`, command, ...args], input);
  return {
    save: (table) => run("iptables-save", ["-t", table]),
    async restore(input) {
      await run("iptables-restore", ["-w", "5", "--noflush"], input);
    },
    async chainExists(table, chain) {
      try {
        await run("iptables", ["-w", "5", "-t", table, "-S", chain]);
        return true;
      } catch (error) {
        if (error instanceof IptablesError && /No chain|does not exist|incompatible/.test(error.message)) return false;
        throw error;
      }
    },
  };
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
