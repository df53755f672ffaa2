// Streaming, loaded at its first request: its HTTP client costs ten megabytes that an idle apiserver can do without.
// The kubelet's client files are still checked at the start.

import { accessSync, constants } from "node:fs";
import { ConfigError } from "@picokube/component-base/config-error";
import type { createStreaming, Streaming } from "../streaming/create-streaming.js";

type StreamingOptions = Parameters<typeof createStreaming>[0];

/** Throws ConfigError when a kubelet client file cannot be read. */
export function lazyStreaming(options: StreamingOptions): Streaming {
  const { kubeletCertificateAuthority, kubeletClientCertificate, kubeletClientKey } = options.kubelet;
  checkReadable("kubelet-certificate-authority", kubeletCertificateAuthority);
  checkReadable("kubelet-client-certificate", kubeletClientCertificate);
  checkReadable("kubelet-client-key", kubeletClientKey);
  let loading: Promise<Streaming> | undefined;
  function load(): Promise<Streaming> {
    loading ??= import("../streaming/create-streaming.js").then((module) => module.createStreaming(options));
    return loading;
  }
  return {
    async handleHttp(exchange) {
      await (await load()).handleHttp(exchange);
    },
    async handleUpgrade(exchange, socket, head) {
      await (await load()).handleUpgrade(exchange, socket, head);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}

function checkReadable(flag: string, path: string): void {
  if (path === "") return;
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new ConfigError(`--${flag}: ${(error as Error).message}`, { cause: error });
  }
}
