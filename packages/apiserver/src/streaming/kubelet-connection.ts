// How the apiserver reaches a node's kubelet: its address, and TLS with the apiserver's own client certificate. Says
// nothing about what is asked there.

import { readFileSync, statSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { nodes } from "@picokube/api/core/v1";
import { notFound, serviceUnavailable } from "@picokube/api/errors";
import { ConfigError } from "@picokube/component-base/config-error";
import { Agent } from "undici";
import type { StorageRegistry } from "../storage/resource-storage.js";

const DEFAULT_PORT = 10250;

/** Upstream's flags; "" is unset. */
export interface KubeletTlsOptions {
  readonly kubeletCertificateAuthority: string;
  readonly kubeletClientCertificate: string;
  readonly kubeletClientKey: string;
  readonly kubeletPreferredAddressTypes: readonly string[];
}

export interface KubeletConnection {
  /** Where the node's kubelet listens. Throws notFound() and serviceUnavailable(). */
  locate(nodeName: string): { host: string; port: number };
  /** For a socket of one's own. */
  tls(): ConnectionOptions;
  /** Keeps connections to kubelets; made anew when a file changes. */
  agent(): Agent;
  close(): Promise<void>;
}

/** Reads the files now, and again when one changes. Throws ConfigError for an unreadable one. */
export function kubeletConnection(
  {
    kubeletCertificateAuthority,
    kubeletClientCertificate,
    kubeletClientKey,
    kubeletPreferredAddressTypes,
  }: KubeletTlsOptions,
  storage: StorageRegistry,
): KubeletConnection {
  const files = { ca: kubeletCertificateAuthority, cert: kubeletClientCertificate, key: kubeletClientKey };
  let stamp = "";
  let tls: ConnectionOptions = {};
  let agent: Agent | undefined;

  const stampOf = () =>
    Object.values(files)
      .map((path) => (path === "" ? "" : String(statSync(path).mtimeMs)))
      .join();

  function refresh(): void {
    let now: string;
    try {
      now = stampOf();
      if (now === stamp) return;
      const read = (path: string) => (path === "" ? undefined : readFileSync(path));
      // As upstream: without --kubelet-certificate-authority a kubelet's certificate is not verified.
      const loaded = { ca: read(files.ca), cert: read(files.cert), key: read(files.key) };
      tls = {
        ...Object.fromEntries(Object.entries(loaded).filter(([, value]) => value !== undefined)),
        rejectUnauthorized: files.ca !== "",
        minVersion: "TLSv1.2",
        ALPNProtocols: ["http/1.1"],
      };
    } catch (error) {
      if (stamp !== "") return;
      throw new ConfigError(`kubelet client: ${error instanceof Error ? error.message : error}`);
    }
    stamp = now;
    void agent?.close();
    agent = new Agent({ connect: tls as never, bodyTimeout: 0, headersTimeout: 0, keepAliveTimeout: 30_000 });
  }
  refresh();

  return {
    locate(nodeName) {
      const node = storage.for(nodes).get("", nodeName);
      if (!node) throw notFound(nodes, nodeName);
      const addresses = node.status?.addresses ?? [];
      for (const type of kubeletPreferredAddressTypes) {
        const found = addresses.find((address) => address.type === type);
        if (!found) continue;
        const port = (node.status?.daemonEndpoints?.kubeletEndpoint as { Port?: number } | undefined)?.Port;
        return { host: found.address, port: port || DEFAULT_PORT };
      }
      const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(" ");
      throw serviceUnavailable(`no preferred addresses found; known addresses: [${known}]`);
    },
    tls() {
      refresh();
      return tls;
    },
    agent() {
      refresh();
      return agent!;
    },
    async close() {
      await agent?.close();
    },
  };
}
