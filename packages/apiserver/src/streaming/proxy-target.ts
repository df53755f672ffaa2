// What nodes/proxy, pods/proxy and services/proxy reach: the URL behind "scheme:name:port" and the rest of the path
// (upstream: ResourceLocation of each). Opens no connection.

import { endpoints, type Pod, pods, services } from "@picokube/api/core/v1";
import { badRequest, notFound, serviceUnavailable } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import type { RequestInfo } from "../request/request-info.js";
import type { StorageRegistry } from "../storage/resource-storage.js";

export interface ProxyTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** The kubelet's own listener: to be spoken to with the apiserver's certificate. */
  readonly isKubelet: boolean;
}

/** "https:web:8080", "web:http", "web": upstream's SplitSchemeNamePort. */
export function splitSchemeNamePort(
  id: string,
): { scheme: "http" | "https" | ""; name: string; port: string } | undefined {
  const parts = id.split(":");
  if (parts.length === 1) return parts[0] ? { scheme: "", name: parts[0], port: "" } : undefined;
  if (parts.length === 2) return parts[0] ? { scheme: "", name: parts[0]!, port: parts[1]! } : undefined;
  if (parts.length !== 3 || !parts[1]) return undefined;
  const [scheme = "", name = "", port = ""] = parts;
  return scheme === "" || scheme === "http" || scheme === "https" ? { scheme, name, port } : undefined;
}

/** The path behind ".../proxy", as the client escaped it; "" when nothing follows, not even a slash. */
export function proxiedPath({ path, parts }: RequestInfo): string {
  const behind = Math.max(0, parts.length - 3);
  const segments = path.split("/");
  const trailing = path.endsWith("/") ? 1 : 0;
  const kept = segments.slice(segments.length - behind - trailing);
  return behind === 0 && trailing === 0 ? "" : `/${kept.join("/")}`;
}

/** Refuses loopback and link-local addresses, which are the apiserver's own machine, not a pod. */
function proxyable(address: string): string {
  if (/^(127\.|169\.254\.|0\.|::1$|fe80:|::$)/i.test(address)) throw badRequest("address not allowed");
  return address;
}

function podTarget(storage: StorageRegistry, namespace: string, id: string): ProxyTarget {
  const asked = splitSchemeNamePort(id);
  if (!asked) throw badRequest(`invalid pod request ${JSON.stringify(id)}`);
  const pod: Pod | undefined = storage.for(pods).get(namespace, asked.name);
  if (!pod) throw notFound(pods, asked.name);
  const firstPort = pod.spec?.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const address = pod.status?.podIP;
  if (!address) throw badRequest(`pod ${asked.name} does not have an address`);
  const port = asked.port === "" ? (firstPort ?? (asked.scheme === "https" ? 443 : 80)) : Number(asked.port);
  if (!Number.isInteger(port)) throw badRequest(`invalid pod request ${JSON.stringify(id)}`);
  return { scheme: asked.scheme || "http", host: proxyable(address), port, isKubelet: false };
}

function serviceTarget(storage: StorageRegistry, namespace: string, id: string): ProxyTarget {
  const asked = splitSchemeNamePort(id);
  if (!asked) throw badRequest(`invalid service request ${JSON.stringify(id)}`);
  const service = storage.for(services).get(namespace, asked.name);
  if (!service) throw notFound(services, asked.name);
  let portName = asked.port;
  if (/^\d+$/.test(portName)) {
    const numbered = service.spec?.ports?.find(({ port }) => port === Number(portName));
    if (!numbered)
      throw serviceUnavailable(`no service port ${portName} found for service ${JSON.stringify(asked.name)}`);
    portName = numbered.name ?? "";
  }
  const found = storage.for(endpoints).get(namespace, asked.name);
  const candidates = (found?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port =
      ports.find(({ name = "" }) => name === portName) ??
      (asked.port === "" && ports.length === 1 ? ports[0] : undefined);
    return port ? addresses.map(({ ip }) => ({ ip, port: port.port })) : [];
  });
  if (candidates.length === 0) {
    throw serviceUnavailable(
      found?.subsets?.some(({ addresses = [] }) => addresses.length > 0)
        ? `no service port ${JSON.stringify(portName)} found for service ${JSON.stringify(asked.name)}`
        : `no endpoints available for service ${JSON.stringify(id)}`,
    );
  }
  const { ip, port } = candidates[Math.floor(Math.random() * candidates.length)]!;
  return { scheme: asked.scheme || "http", host: proxyable(ip), port, isKubelet: false };
}

function nodeTarget(id: string, locate: (node: string) => { host: string; port: number }): ProxyTarget {
  const asked = splitSchemeNamePort(id);
  if (!asked) throw badRequest(`invalid node request ${JSON.stringify(id)}`);
  const kubelet = locate(asked.name);
  if (asked.port === "" || Number(asked.port) === kubelet.port) return { scheme: "https", ...kubelet, isKubelet: true };
  return { scheme: asked.scheme || "http", host: proxyable(kubelet.host), port: Number(asked.port), isKubelet: false };
}

/** Where the request goes; throws upstream's errors. */
export function proxyTarget(
  { resource, namespace, name }: Pick<RequestInfo, "resource" | "namespace" | "name">,
  { storage, locate }: { storage: StorageRegistry; locate: (node: string) => { host: string; port: number } },
): ProxyTarget {
  if (resource === "pods") return podTarget(storage, namespace, name);
  if (resource === "services") return serviceTarget(storage, namespace, name);
  if (resource === "nodes") return nodeTarget(name, locate);
  throw notFound({ group: "", resource } as GroupResource, name);
}
