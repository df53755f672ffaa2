// pods/log: the kubelet's container log, streamed on. What it cannot give comes back as a Status.

import { type Pod, pods } from "@picokube/api/core/v1";
import { badRequest, internalError, notFound, StatusError } from "@picokube/api/errors";
import type { Dispatcher } from "undici";
import type { Exchange } from "../handlers/exchange.js";
import { chooseContainer } from "./container-choice.js";
import type { KubeletConnection } from "./kubelet-connection.js";
import { logQuery } from "./pod-options.js";
import { relay } from "./relay.js";

const MAX_ERROR_BYTES = 1_000_000;
const REASONS: { readonly [code: number]: string } = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** The host and port in a URL. */
export function authority({ host, port }: { host: string; port: number }): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Turns a kubelet's refusal into a Status with its words (upstream: GenericHttpResponseChecker). */
export async function checkKubeletAnswer(
  { statusCode, body }: Dispatcher.ResponseData,
  podName: string,
): Promise<void> {
  if (statusCode >= 200 && statusCode < 400) return;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    if (length > MAX_ERROR_BYTES) break;
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString("utf8").trim();
  if (statusCode === 400) throw badRequest(text);
  if (statusCode === 500) throw internalError(new Error(text));
  const words = statusCode === 404 ? "the server could not find the requested resource" : text;
  throw new StatusError({
    code: statusCode,
    reason: REASONS[statusCode] ?? (statusCode >= 500 ? "InternalError" : "Unknown"),
    message: `${words} ( pods/log ${podName})`,
    details: {
      name: podName,
      kind: "pods/log",
      causes: [{ reason: "UnexpectedServerResponse", message: text || "unknown" }],
    },
  });
}

/** GET pods/log. */
export async function handlePodLog(exchange: Exchange, pod: Pod, kubelets: KubeletConnection): Promise<void> {
  const { info, request, response } = exchange;
  if (request.method !== "GET" && request.method !== "HEAD") throw badRequest("only GET is supported for pods/log");
  const query = logQuery(info.query);
  const container = chooseContainer(pod, info.query.get("container") ?? "");
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) {
    // A pod without a node has no log yet: an empty one.
    response.writeHead(200, { "Content-Type": "text/plain", "Cache-Control": "no-cache, private" });
    response.end();
    return;
  }
  const path = ["containerLogs", info.namespace, info.name, container].map(encodeURIComponent).join("/");
  const url = new URL(`https://${authority(kubelets.locate(nodeName))}/${path}`);
  url.search = query.toString();
  await relay(request, response, {
    url,
    dispatcher: kubelets.agent(),
    check: (answer) => checkKubeletAnswer(answer, info.name),
    rewrite: (headers) => {
      headers["content-type"] = "text/plain";
      headers["cache-control"] = "no-cache, private";
    },
  });
}

/** The pod of the request; throws notFound(). */
export function podOf(
  { info }: Pick<Exchange, "info">,
  storage: { for(resource: typeof pods): { get(namespace: string, name: string): Pod | undefined } },
): Pod {
  const pod = storage.for(pods).get(info.namespace, info.name);
  if (!pod) throw notFound(pods, info.name);
  return pod;
}
