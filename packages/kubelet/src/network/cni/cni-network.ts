// Pods wired by CNI plugins, as dockershim did it: loopback, then the plugins of the first configuration in their order;
// undone in the opposite one. Owns its attachments; touches no link and no rule itself.

import { existsSync } from "node:fs";
import type { Logger } from "@picokube/component-base/logger";
import type { HostPort } from "../host-ports.js";
import { type Attached, openAttachments } from "./attachments.js";
import { type Attachment, type CniResult, execPlugin, PluginNotFound } from "./exec-plugin.js";
import { type NetworkList, readNetworkList } from "./network-list.js";

export interface CniNetworkOptions {
  readonly confDir: string;
  readonly binDirs: readonly string[];
  /** Attachments are files in it. */
  readonly directory: string;
  readonly logger: Logger;
}

/** A sandbox as the plugins are told of it. */
export interface CniSandbox {
  readonly id: string;
  readonly pid: number;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly ports: readonly HostPort[];
}

export interface CniNetwork {
  /** The network that a new sandbox would get; undefined: the configuration directory has none. */
  configured(): Promise<NetworkList | undefined>;
  /** Wires the sandbox into this network and resolves to its addresses. What failed half-way is given back. */
  attach(owner: string, sandbox: CniSandbox, network: NetworkList): Promise<string[]>;
  has(owner: string): boolean;
  addressOf(owner: string): string | undefined;
  /** Gives everything back; idempotent. */
  detach(owner: string): Promise<void>;
  owners(): string[];
}

const loopback: NetworkList = { name: "cni-loopback", cniVersion: "0.2.0", plugins: [{ type: "loopback" }] };

/** Addresses of a result without their prefixes. */
export function addressesOf({ ips, ip4 }: CniResult): string[] {
  const found = ips?.map(({ address }) => address) ?? (ip4 ? [ip4.ip] : []);
  return found.map((address) => address.split("/")[0]!);
}

/** The capability portMappings, as containers' ports ask for it. */
export function portMappings(ports: readonly HostPort[]) {
  return ports.map(({ hostPort, containerPort, protocol, hostIp }) => ({
    hostPort,
    containerPort,
    protocol,
    hostIP: hostIp,
  }));
}

/** Reads what is wired already; calls no plugin yet. */
export function createCniNetwork({ confDir, binDirs, directory, logger }: CniNetworkOptions): CniNetwork {
  const attachments = openAttachments(directory);

  /** The plugins in their order, each with the result of the one before it. onCall is told each before it is called. */
  async function add(network: NetworkList, attachment: Attachment, onCall: (count: number) => void = () => {}) {
    let previous: CniResult | undefined;
    for (const [index, plugin] of network.plugins.entries()) {
      onCall(index + 1);
      previous = await execPlugin({ command: "ADD", network, plugin, attachment, previous, binDirs });
    }
    return previous ?? {};
  }

  /** All plugins in the opposite order, past those that fail; then throws the first failure. */
  async function undo({ network, attachment, result }: Attached): Promise<void> {
    const present = existsSync(attachment.netns) ? attachment : { ...attachment, netns: "" };
    const failures: unknown[] = [];
    for (const plugin of [...network.plugins].reverse()) {
      const call = { command: "DEL" as const, network, plugin, attachment: present, previous: result, binDirs };
      await execPlugin(call).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async function detach(owner: string): Promise<void> {
    const attached = attachments.get(owner);
    if (!attached) return;
    try {
      await undo(attached);
    } catch (error) {
      const pod = `${attached.podName}_${attached.podNamespace}`;
      throw new Error(`networkPlugin cni failed to teardown pod "${pod}" network: ${(error as Error).message}`, {
        cause: error,
      });
    }
    attachments.delete(owner);
  }

  return {
    configured: () =>
      readNetworkList(confDir, (file, err) => logger.warn("Error loading CNI config file, skipping it", { file, err })),

    async attach(owner, { id, pid, podName, podNamespace, podUid, ports }, network) {
      const attachment: Attachment = {
        containerId: id,
        netns: `/proc/${pid}/ns/net`,
        ifName: "eth0",
        args: {
          IgnoreUnknown: "1",
          K8S_POD_NAMESPACE: podNamespace,
          K8S_POD_NAME: podName,
          K8S_POD_INFRA_CONTAINER_ID: id,
          K8S_POD_UID: podUid,
        },
        capabilityArgs: ports.length > 0 ? { portMappings: portMappings(ports) } : {},
      };
      const attached: Attached = { owner, podName, podNamespace, network, attachment, result: undefined };
      // What an attempt before this one could not give back.
      await detach(owner);
      // Known before the first plugin is called: whoever comes after a crash gives it back.
      attachments.save(attached);
      let called = 0;
      try {
        await add(loopback, { ...attachment, ifName: "lo" });
        const result = await add(network, attachment, (count) => {
          called = count;
        });
        const addresses = addressesOf(result);
        if (addresses.length === 0) throw new Error("the plugins gave no address");
        attachments.save({ ...attached, result });
        return addresses;
      } catch (error) {
        const toUndo = (error as Error).cause instanceof PluginNotFound ? called - 1 : called;
        const plugins = network.plugins.slice(0, Math.max(0, toUndo));
        attachments.save({ ...attached, network: { ...network, plugins } });
        await detach(owner).catch((err: unknown) =>
          logger.error("Cannot undo a failed network set-up yet", { owner, err }),
        );
        const pod = `${podName}_${podNamespace}`;
        throw new Error(
          `failed to set up sandbox container "${id}" network for pod "${podName}": networkPlugin cni failed to set up pod "${pod}" network: ${(error as Error).message}`,
          { cause: error },
        );
      }
    },

    has: (owner) => attachments.get(owner) !== undefined,
    addressOf(owner) {
      const result = attachments.get(owner)?.result;
      return result && addressesOf(result)[0];
    },
    detach,
    owners: () => attachments.owners(),
  };
}
