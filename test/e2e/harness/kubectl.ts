// The real kubectl, driven as a person drives it. Finds the releases that the machine has.

import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import type { TestCluster } from "./cluster.js";

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface KubectlOptions {
  readonly input?: string;
  /** Another release than the default one. */
  readonly binary?: string;
  readonly timeoutMs?: number;
}

function fromPath(): string {
  for (const directory of (process.env.PATH ?? "").split(delimiter))
    if (existsSync(join(directory, "kubectl"))) return join(directory, "kubectl");
  throw new Error("no kubectl on the PATH: set KUBECTL, or let npm test install one");
}

/** KUBECTL, or the PATH's. */
export const defaultKubectl = process.env.KUBECTL ?? fromPath();

/** The oldest and the newest release that lie beside the default kubectl ("kubectl.1.27"); the default alone where none do. */
export function kubectlReleases(): string[] {
  const directory = dirname(realpathSync(defaultKubectl));
  const minor = (name: string) => Number(/(\d+)$/.exec(name)?.[1]);
  const found = readdirSync(directory)
    .filter((name) => /^kubectl[.-]v?1\.\d+$/.test(name))
    .sort((a, b) => minor(a) - minor(b))
    .map((name) => join(directory, name));
  return found.length > 0 ? [...new Set([found[0]!, found.at(-1)!])] : [defaultKubectl];
}

/** For a test's title. */
export function releaseName(binary: string): string {
  return basename(binary);
}

/** Drives one cluster; namespace goes before every command when given. */
export function kubectlFor(cluster: Pick<TestCluster, "kubeconfig">, namespace?: string) {
  const global = [`--kubeconfig=${cluster.kubeconfig}`, ...(namespace ? [`--namespace=${namespace}`] : [])];

  /** Never rejects for a failure of kubectl: the outcome says it. */
  function attempt(
    args: readonly string[],
    { input, binary = defaultKubectl, timeoutMs = 120_000 }: KubectlOptions = {},
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const child = execFile(
        binary,
        [...global, ...args],
        { timeout: timeoutMs, maxBuffer: 1 << 26 },
        (error, stdout, stderr) =>
          resolve({ stdout, stderr, code: error ? (typeof error.code === "number" ? error.code : -1) : 0 }),
      );
      child.stdin?.on("error", () => {});
      child.stdin?.end(input ?? "");
    });
  }

  /** Resolves with standard output; rejects with what kubectl said. */
  async function run(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const { stdout, stderr, code } = await attempt(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} exited with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  return {
    attempt,
    run,
    /** Parsed -o json. */
    // biome-ignore lint/suspicious/noExplicitAny: tests read whatever kubectl prints
    async json(args: readonly string[]): Promise<any> {
      return JSON.parse(await run([...args, "-o", "json"]));
    },
    apply(manifest: string, options: KubectlOptions = {}): Promise<string> {
      return run(["apply", "-f", "-"], { ...options, input: manifest });
    },
    /** A command that goes on (logs -f, get -w, port-forward); the caller kills it. */
    start(args: readonly string[], { binary = defaultKubectl }: KubectlOptions = {}) {
      const child = spawn(binary, [...global, ...args], { stdio: ["pipe", "pipe", "pipe"] });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stdin.on("error", () => {});
      return {
        output: () => output,
        stdin: child.stdin,
        exited: new Promise<number>((done) => child.once("exit", (code) => done(code ?? -1))),
        kill: () => child.kill("SIGKILL"),
      };
    },
  };
}

export type Kubectl = ReturnType<typeof kubectlFor>;
