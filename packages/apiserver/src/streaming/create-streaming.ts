// The subresources that leave the apiserver: log, exec, attach and portforward to kubelets, proxy to anything. The one
// place where the control plane calls a node. Requests come authenticated and authorised.

import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { badRequest, notFound } from "@picokube/api/errors";
import { Agent } from "undici";
import type { Exchange } from "../handlers/exchange.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { chooseContainer } from "./container-choice.js";
import { type KubeletTlsOptions, kubeletConnection } from "./kubelet-connection.js";
import { authority, handlePodLog, podOf } from "./pod-log.js";
import { execQuery, portForwardQuery } from "./pod-options.js";
import { type ProxyTarget, proxiedPath, proxyTarget } from "./proxy-target.js";
import { relay } from "./relay.js";
import { type SpliceTarget, splice } from "./splice.js";

export interface Streaming {
  handleHttp(exchange: Exchange): Promise<void>;
  /** Throws before it has written anything to the socket. */
  handleUpgrade(exchange: Omit<Exchange, "response">, socket: Duplex, head: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Proxied TLS backends are not verified, as upstream's proxy transport does not. */
const UNVERIFIED: ConnectionOptions = { rejectUnauthorized: false };

/** Throws ConfigError when a kubelet client file cannot be read. */
export function createStreaming({
  storage,
  kubelet,
}: {
  storage: StorageRegistry;
  kubelet: KubeletTlsOptions;
}): Streaming {
  const kubelets = kubeletConnection(kubelet, storage);
  let unverified: Agent | undefined;
  const unverifiedAgent = () =>
    (unverified ??= new Agent({ connect: UNVERIFIED as never, bodyTimeout: 0, headersTimeout: 0 }));

  const search = (query: URLSearchParams): string => (query.size > 0 ? `?${query}` : "");
  const rawSearch = (url: string | undefined): string => {
    const mark = url?.indexOf("?") ?? -1;
    return mark < 0 ? "" : url!.slice(mark);
  };

  /** The kubelet's path for exec, attach and portforward. */
  function kubeletPath(exchange: Omit<Exchange, "response">): { node: string; path: string } {
    const { info } = exchange;
    const pod = podOf(exchange, storage);
    const node = pod.spec?.nodeName;
    const place = [info.namespace, info.name];
    let query: URLSearchParams;
    let kind: string;
    if (info.subresource === "portforward") {
      query = portForwardQuery(info.query);
      kind = "portForward";
    } else {
      query = execQuery(info.query);
      if (info.subresource === "attach") query.delete("command");
      place.push(chooseContainer(pod, info.query.get("container") ?? ""));
      kind = info.subresource;
    }
    if (!node) throw badRequest(`pod ${info.name} does not have a host assigned`);
    return { node, path: `/${[kind, ...place].map(encodeURIComponent).join("/")}${search(query)}` };
  }

  async function proxyHttp(exchange: Exchange): Promise<void> {
    const { info, request, response } = exchange;
    const target = proxyTarget(info, { storage, locate: kubelets.locate });
    const path = proxiedPath(info);
    if (path === "" && (request.method === "GET" || request.method === "HEAD")) {
      response.writeHead(301, { Location: `${info.path}/${rawSearch(request.url)}` });
      response.end();
      return;
    }
    const prefix = path === "" || path === "/" ? info.path.replace(/\/$/, "") : info.path.slice(0, -path.length);
    await relay(request, response, {
      url: new URL(`${target.scheme}://${authority(target)}${path || "/"}${rawSearch(request.url)}`),
      ...(target.isKubelet
        ? { dispatcher: kubelets.agent() }
        : target.scheme === "https"
          ? { dispatcher: unverifiedAgent() }
          : {}),
      headers: {
        "X-Forwarded-Uri": info.path,
        "X-Forwarded-Host": request.headers.host ?? "",
        "X-Forwarded-Proto": "https",
      },
      rewrite(headers) {
        const { location } = headers;
        if (typeof location === "string" && location.startsWith("/")) headers.location = `${prefix}${location}`;
      },
    });
  }

  function spliceTarget({ host, port, scheme, isKubelet }: ProxyTarget): SpliceTarget {
    if (isKubelet) return { host, port, tls: kubelets.tls() };
    return scheme === "https" ? { host, port, tls: UNVERIFIED } : { host, port };
  }

  return {
    async handleHttp(exchange) {
      const { info } = exchange;
      if (info.subresource === "proxy") return proxyHttp(exchange);
      if (info.resource === "pods" && info.subresource === "log") {
        return handlePodLog(exchange, podOf(exchange, storage), kubelets);
      }
      if (info.resource === "pods" && ["exec", "attach", "portforward"].includes(info.subresource)) {
        // The request's own faults come first, as a Status that kubectl can show.
        kubeletPath(exchange);
        throw badRequest("Upgrade request required");
      }
      throw notFound({ group: "", resource: info.resource }, info.name);
    },

    async handleUpgrade(exchange, socket, head) {
      const { info, request } = exchange;
      if (info.subresource === "proxy") {
        const target = spliceTarget(proxyTarget(info, { storage, locate: kubelets.locate }));
        const path = `${proxiedPath(info) || "/"}${rawSearch(request.url)}`;
        return splice(request, { socket, head, target, path });
      }
      if (info.subresource === "log") throw badRequest("pods/log does not upgrade");
      const { node, path } = kubeletPath(exchange);
      const target = { ...kubelets.locate(node), tls: kubelets.tls() };
      return splice(request, { socket, head, target, path });
    },

    async close() {
      await kubelets.close();
      await unverified?.close();
    },
  };
}
