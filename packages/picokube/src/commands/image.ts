// `picokube image load`: brings images of this machine, or an archive, to the engines of the cluster's nodes on it. Read once,
// sent to all at once.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ConfigError } from "@picokube/component-base/config-error";
import pc from "picocolors";
import { requireCluster } from "../cluster/cluster.js";
import { run } from "../vms/run.js";
import { pathsOfVm, readVms } from "../vms/vm.js";
import { isVmRunning } from "../vms/vm-lifecycle.js";

export interface LoadFlags {
  readonly dataDir: string;
  /** All that are on, unless given. */
  readonly nodes?: readonly string[];
}

interface Target {
  readonly node: string;
  /** Words of the docker command that name its engine. */
  readonly engine: readonly string[];
}

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const progressMs = 500;

/** Loads each image or archive in turn; nodes that hold an image already are passed over. */
export async function loadImages(sources: readonly string[], { dataDir, nodes }: LoadFlags): Promise<void> {
  const cluster = requireCluster(dataDir);
  const targets = targetsOf(cluster, nodes);
  for (const source of sources) {
    if (existsSync(source) && statSync(source).isFile()) {
      await send({ title: source, sizeBytes: statSync(source).size, archive: createReadStream(source), targets });
      continue;
    }
    const image = await imageOnHost(source);
    const missing: Target[] = [];
    for (const target of targets) {
      const id = await run("docker", [...target.engine, "image", "inspect", "--format", "{{.Id}}", source]).catch(
        () => "",
      );
      if (id.trim() === image.id) console.log(`${target.node} has ${source} already.`);
      else missing.push(target);
    }
    if (missing.length === 0) continue;
    const save = spawn("docker", ["save", source], { stdio: ["ignore", "pipe", "pipe"] });
    await Promise.all([
      succeeded(save, "docker save"),
      send({ title: source, sizeBytes: image.sizeBytes, archive: save.stdout, targets: missing }),
    ]);
  }
}

/** The nodes' engines on this machine. Throws ConfigError naming those that there are. */
function targetsOf(cluster: { dataDir: string; nodeName: string }, wanted: readonly string[] | undefined): Target[] {
  const all: Target[] = [
    { node: cluster.nodeName, engine: [] },
    ...readVms(cluster)
      .filter(isVmRunning)
      .map((vm) => ({ node: vm.name, engine: ["-H", `unix://${pathsOfVm(vm).socket}`] })),
  ];
  if (wanted === undefined) return all;
  return wanted.map((name) => {
    const target = all.find(({ node }) => node === name);
    if (target) return target;
    const known = all.map(({ node }) => node).join(", ");
    throw new ConfigError(
      `${name} is no node on this machine, or is off; there are: ${known}. For a node elsewhere: docker save, copy the file, docker load there`,
    );
  });
}

async function imageOnHost(name: string): Promise<{ id: string; sizeBytes: number }> {
  try {
    const [id = "", size] = (await run("docker", ["image", "inspect", "--format", "{{.Id}} {{.Size}}", name])).split(
      " ",
    );
    return { id, sizeBytes: Number(size) };
  } catch (error) {
    throw new ConfigError(`"${name}" is neither a file nor an image of this machine's engine: docker pull it first`, {
      cause: error,
    });
  }
}

interface Shipment {
  readonly title: string;
  /** Of what is sent, roughly: for the progress alone. */
  readonly sizeBytes: number;
  readonly archive: Readable;
  readonly targets: readonly Target[];
}

async function send({ title, sizeBytes, archive, targets }: Shipment): Promise<void> {
  const names = targets.map(({ node }) => node).join(", ");
  const loads = targets.map(({ engine, node }) => {
    const child = spawn("docker", [...engine, "load", "--quiet"], { stdio: ["pipe", "ignore", "pipe"] });
    // A load that failed has said why; the write that it broke off says less.
    child.stdin.on("error", () => {});
    return { child, done: succeeded(child, `docker load on ${node}`) };
  });
  let sentBytes = 0;
  let shownAt = 0;
  const show = (isLast: boolean) => {
    if (!process.stdout.isTTY || (!isLast && Date.now() - shownAt < progressMs)) return;
    shownAt = Date.now();
    const share = Math.min(99, Math.floor((sentBytes * 100) / Math.max(1, sizeBytes)));
    process.stdout.write(`\r\x1b[K${title} → ${names}: ${mib(sentBytes)}${isLast ? "\n" : ` (${share} %)`}`);
  };
  const sending = (async () => {
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      sentBytes += chunk.length;
      show(false);
      // The slowest engine sets the pace; one that has ended takes nothing more.
      await Promise.all(
        loads.map(async ({ child: { stdin } }) => {
          if (stdin.writable && !stdin.write(chunk)) await drained(stdin);
        }),
      );
    }
    for (const { child } of loads) child.stdin.end();
  })();
  await Promise.all([sending, ...loads.map(({ done }) => done)]);
  show(true);
  console.log(`Loaded ${pc.bold(title)} (${mib(sentBytes)}) on ${names}.`);
}

/** Resolves when it takes more, or never will. */
async function drained(stdin: Writable): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(stdin, "drain", { signal }), once(stdin, "close", { signal })]).catch(() => {});
  over.abort();
}

async function succeeded(child: ChildProcess, what: string): Promise<void> {
  let words = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    words += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${what} failed: ${words.trim().split("\n").at(-1) || `exit ${code}`}`);
}
