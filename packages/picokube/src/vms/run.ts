// Runs one of the host's commands to its end. The error carries argv and the command's last word.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Resolves to stdout; rejects when the command cannot start or exits other than 0. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await execute(program, args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) || (error as Error).message;
    throw new Error(`${program} ${args.join(" ")}: ${words}`, { cause: error });
  }
}
