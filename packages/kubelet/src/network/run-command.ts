// Runs one of the host's network commands with words on its stdin. The error carries argv and what the command said.

import { spawn } from "node:child_process";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

/** Resolves to stdout; rejects when the command cannot start or exits other than 0. */
export function runCommand({ program, args, input }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", (error) => reject(new Error(`${program} could not be started`, { cause: error })));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout).toString());
      const words = Buffer.concat(stderr).toString().trim();
      reject(new Error(`${[program, ...args].join(" ")}: ${words || `exit ${code ?? signal}`}`));
    });
    child.stdin.on("error", () => {
      // The command ended without reading: its exit says why.
    });
    child.stdin.end(input ?? "");
  });
}
