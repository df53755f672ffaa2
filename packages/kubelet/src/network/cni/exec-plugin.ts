// Runs one CNI plugin: environment and configuration in, its result or its error out, in libcni's words.

import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkList, PluginConfig } from "./network-list.js";

export type CniCommand = "ADD" | "DEL";

/** What a plugin answers to ADD, in either of the specification's shapes. */
export interface CniResult {
  readonly ips?: readonly { readonly address: string }[];
  readonly ip4?: { readonly ip: string };
  readonly [field: string]: unknown;
}

/** The sandbox that is wired. */
export interface Attachment {
  readonly containerId: string;
  /** Empty when the namespace is gone already. */
  readonly netns: string;
  readonly ifName: string;
  readonly args: Readonly<Record<string, string>>;
  /** By capability: given to those plugins that have it. */
  readonly capabilityArgs: Readonly<Record<string, unknown>>;
}

export interface PluginCall {
  readonly command: CniCommand;
  readonly network: Pick<NetworkList, "name" | "cniVersion">;
  readonly plugin: PluginConfig;
  readonly attachment: Attachment;
  readonly previous: CniResult | undefined;
  readonly binDirs: readonly string[];
}

/** Nothing was called, so there is nothing to undo. */
export class PluginNotFound extends Error {
  override readonly name = "PluginNotFound";
}

async function findPlugin(type: string, binDirs: readonly string[]): Promise<string> {
  if (type.includes("/")) throw new Error(`invalid plugin name: ${type}`);
  for (const directory of binDirs) {
    const path = join(directory, type);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new PluginNotFound(`failed to find plugin "${type}" in path [${binDirs.join(" ")}]`);
}

/** What the plugin reads on its standard input: libcni's buildOneConfig and injectRuntimeConfig. */
export function pluginInput({ network, plugin, attachment, previous }: PluginCall): Record<string, unknown> {
  const wanted = Object.entries(plugin.capabilities ?? {}).filter(
    ([name, has]) => has && attachment.capabilityArgs[name],
  );
  const runtimeConfig = Object.fromEntries(wanted.map(([name]) => [name, attachment.capabilityArgs[name]]));
  return {
    ...plugin,
    name: network.name,
    cniVersion: network.cniVersion,
    ...(wanted.length > 0 ? { runtimeConfig } : {}),
    ...(previous ? { prevResult: previous } : {}),
  };
}

/** libcni's account of a plugin that failed. */
export function failureWords(stdout: string, stderr: string): string {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    if (msg) return details ? `${msg}; ${details}` : msg;
  } catch {
    // Not the specification's error document.
  }
  if (stdout.trim() !== "") return `netplugin failed: ${JSON.stringify(stdout.trim())}`;
  return stderr.trim() === ""
    ? "netplugin failed with no error message"
    : `netplugin failed: ${JSON.stringify(stderr.trim())}`;
}

/** Resolves to the plugin's result, empty where it has none. The cause of a rejection may be a PluginNotFound. */
export async function execPlugin(call: PluginCall): Promise<CniResult> {
  const { command, plugin, attachment, binDirs } = call;
  const action = command === "ADD" ? "add" : "delete";
  try {
    const path = await findPlugin(plugin.type, binDirs);
    const env = {
      PATH: process.env.PATH ?? "",
      CNI_COMMAND: command,
      CNI_CONTAINERID: attachment.containerId,
      CNI_NETNS: attachment.netns,
      CNI_IFNAME: attachment.ifName,
      CNI_ARGS: Object.entries(attachment.args)
        .map(([key, value]) => `${key}=${value}`)
        .join(";"),
      CNI_PATH: binDirs.join(":"),
    };
    const stdout = await run(path, env, JSON.stringify(pluginInput(call)));
    return stdout.trim() === "" ? {} : (JSON.parse(stdout) as CniResult);
  } catch (error) {
    throw new Error(`plugin type="${plugin.type}" failed (${action}): ${(error as Error).message}`, { cause: error });
  }
}

function run(path: string, env: Record<string, string>, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], { env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(stdout) : reject(new Error(failureWords(stdout, stderr)))));
    // A plugin that ends without reading says why by its exit.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
