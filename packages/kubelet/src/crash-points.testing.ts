// Ends a kubelet by SIGKILL at one of its outward actions: a write to the engine or the apiserver, a program that it runs, a
// change to its files or to a cgroup. Loaded into a real kubelet by `node --import`; every action is carried out for real,
// or the kubelet is dead. Imported by nobody: kill.integration tells it what to do.

import childProcess, { type ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import fs from "node:fs";
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";

/** An action by name, and which of those of its name it is. */
export interface Action {
  readonly name: string;
  readonly count: number;
}

/** Before the action, or, where others carry it out, while they do: the kubelet never hears of its end. */
export type Kill = Action & { readonly when: "before" | "during" };

/** From the test: count from here, and tell of each action, or die at one. */
export interface Orders {
  readonly record?: boolean;
  readonly dieAt?: Kill;
}

const counts = new Map<string, number>();
/** For a kubelet that is to die before it has heard of anything else. */
const { CRASH_POINT } = process.env;
let orders: Orders = CRASH_POINT ? { dieAt: JSON.parse(CRASH_POINT) as Kill } : {};
let previous = "";

process.on("message", (given: Orders) => {
  counts.clear();
  orders = given;
  process.send!({ heard: true });
});
// A channel that is listened to must not keep a kubelet alive that has been told to stop.
process.channel?.unref();

const die = () => process.kill(process.pid, "SIGKILL");

/** Without what is another in each run. */
function named(words: string): string {
  return words
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UID")
    .replace(/[0-9a-f]{64}/g, "ID")
    .replace(/(veth|vnew)[0-9a-f]{8}/g, "$1")
    .replace(/\d+\.\d+\.\d+\.\d+/g, "IP")
    .replace(/\.\.\d{4}_[0-9a-f_.]+/g, "VERSION")
    .replace(/picotest\d+/g, "BRIDGE")
    .replace(/killed-\d+-\d+/g, "POD")
    .replace(/\/proc\/\d+\//g, "/proc/PID/")
    .replace(/\/fd\/\d+/g, "/fd/FD")
    .replace(/\/cgroup\/[^/]+\//g, "/cgroup/*/");
}

/** Tells the test of the action, or dies; returns whether it is the one to die during. */
function act(words: string): boolean {
  if (!orders.record && !orders.dieAt) return false;
  const name = named(words);
  // The hierarchies of a cgroup are one.
  if (name === previous && name.includes("/cgroup/*/")) return false;
  previous = name;
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  const { record, dieAt } = orders;
  if (record) process.send!({ name, count });
  if (dieAt?.name !== name || dieAt.count !== count) return false;
  if (dieAt.when === "before") die();
  return true;
}

const rootDir = process.argv.find((word) => word.startsWith("--root-dir="))!.slice("--root-dir=".length);
const isOfPods = (path: string) => path.startsWith(`${rootDir}/`) || /^\/sys\/fs\/cgroup\/.*\/pod/.test(path);
const relative = (path: string) => path.replaceAll(`${rootDir}/`, "");
const { existsSync, statSync } = fs;

/** Whether the call leaves everything as it is. */
function isIdle(call: string, path: string, second: unknown): boolean {
  const exists = existsSync(path);
  if (call === "mkdir") return exists;
  if (call === "open") return exists || !/[wa+]/.test(String(second ?? "r"));
  if (call === "rm" || call === "rmdir" || call === "unlink") return !exists;
  if (call === "chmod") return exists && (statSync(path).mode & 0o7777) === second;
  return false;
}

type Calls = Record<string, (...args: unknown[]) => unknown>;

function watchFiles(calls: Calls, names: readonly string[]): void {
  for (const name of names) {
    const original = calls[name]!;
    const call = name.replace(/Sync$/, "");
    calls[name] = (...args) => {
      // A link's target comes first.
      const path = String(call === "symlink" ? args[1] : args[0]);
      if (isOfPods(path) && !isIdle(call, path, args[1])) act(`${call} ${relative(path)}`);
      return original.apply(calls, args);
    };
  }
}

const changing = ["writeFile", "rename", "mkdir", "rm", "rmdir", "chmod", "chown", "symlink", "unlink"];
watchFiles(
  fs as unknown as Calls,
  changing.map((name) => `${name}Sync`),
);
watchFiles(fs.promises as unknown as Calls, [...changing, "open"]);

const spawn = childProcess.spawn;
const reading = /^(ip -j|iptables .* -C) /;
childProcess.spawn = ((program: string, args: readonly string[], ...more: never[]): ChildProcess => {
  const words = [program, ...args].join(" ");
  const isLast = !reading.test(words) && act(`run ${relative(words)}`);
  const child = spawn(program, args, ...more);
  // It has its words by then, and goes on alone.
  if (isLast) child.once("spawn", () => setImmediate(die));
  return child;
}) as typeof spawn;

const request = http.request;
http.request = ((options: http.RequestOptions, ...more: never[]) => {
  const { method = "GET", path } = options;
  const [called, query = ""] = (path ?? "").split("?");
  const name = /(^|&)name=k8s_([^_]+)_/.exec(query)?.[2] ?? "";
  const isLast = method !== "GET" && act(`engine ${method} ${called} ${name}`.trim());
  const sent = request(options, ...more);
  if (isLast) sent.once("finish", () => setImmediate(die));
  return sent;
}) as typeof request;
syncBuiltinESMExports();

interface Asked {
  readonly method: string;
  readonly path: string;
}
const isOfPod = ({ method, path }: Asked) => method !== "GET" && /\/(pods|serviceaccounts)\//.test(path);
const last = new WeakSet<Asked>();
subscribe("undici:request:create", (message) => {
  const { request: asked } = message as { request: Asked };
  if (isOfPod(asked) && act(`api ${asked.method} ${asked.path.split("?")[0]}`)) last.add(asked);
});
subscribe("undici:request:headers", (message) => {
  if (last.has((message as { request: Asked }).request)) die();
});
