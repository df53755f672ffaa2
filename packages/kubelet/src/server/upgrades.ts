// The connections that leave HTTP: exec, attach and port-forward, over SPDY or WebSocket. Finds the pod, negotiates
// the protocol and hands over; the protocols themselves are in streaming/.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Runtime } from "../cri/runtime.js";
import type { PodLookup } from "../parts.js";
import { codeOf, findPod, runningContainerId, ServerError } from "./container-lookup.js";
import {
  portForwardProtocol,
  portForwardTunnelProtocol,
  servePortForward,
} from "./streaming/port-forward/port-forward.js";
import { failureStatus } from "./streaming/remote-command/exit-status.js";
import type { RemoteStreams, StreamOptions } from "./streaming/remote-command/remote-streams.js";
import { serveSession } from "./streaming/remote-command/serve-session.js";
import { acceptSpdyStreams, spdyProtocols } from "./streaming/remote-command/spdy-streams.js";
import { webSocketStreams } from "./streaming/remote-command/websocket-streams.js";
import { acceptSpdy, isSpdyUpgrade, offeredStreamProtocols } from "./streaming/spdy/upgrade.js";
import { channelProtocols, chooseProtocol } from "./streaming/websocket/channels.js";
import { messageDuplex } from "./streaming/websocket/message-duplex.js";
import { acceptWebSocket, isWebSocketUpgrade, offeredProtocols } from "./streaming/websocket/upgrade.js";

/** One connection that asks to be upgraded. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface UpgradeOptions {
  lookup: PodLookup;
  runtime: Runtime;
}

const flag = (query: URLSearchParams, name: string): boolean => /^(1|true)$/i.test(query.get(name) ?? "");

/** The streams that the query asks for: upstream's remotecommand.NewOptions. */
export function streamOptions(query: URLSearchParams): StreamOptions {
  const tty = flag(query, "tty");
  const [stdin, stdout] = [flag(query, "input"), flag(query, "output")];
  // A terminal has one output.
  const stderr = flag(query, "error") && !tty;
  if (!stdin && !stdout && !stderr) throw new ServerError(400, "you must specify at least 1 of stdin, stdout, stderr");
  return { stdin, stdout, stderr, tty };
}

function negotiate(offered: readonly string[], known: readonly string[]): string {
  const protocol = chooseProtocol(offered, known);
  if (protocol === undefined) {
    throw new ServerError(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${known.join(" ")}]`,
    );
  }
  return protocol;
}

async function remoteStreams(upgrade: Upgrade, options: StreamOptions): Promise<RemoteStreams> {
  const { request } = upgrade;
  if (isWebSocketUpgrade(request)) {
    const protocol = negotiate(offeredProtocols(request), channelProtocols);
    return webSocketStreams(await acceptWebSocket(upgrade, protocol), { protocol, options });
  }
  const protocol = negotiate(offeredStreamProtocols(request), spdyProtocols);
  return acceptSpdyStreams(acceptSpdy(upgrade, protocol), { protocol, options });
}

async function serveCommand(
  upgrade: Upgrade,
  path: readonly string[],
  { lookup, runtime }: UpgradeOptions,
): Promise<void> {
  const [verb, namespace = "", name = "", ...rest] = path;
  const query = new URL(upgrade.request.url!, "http://kubelet").searchParams;
  const uid = rest.length > 1 ? rest[0] : undefined;
  const container = rest.at(-1) ?? "";
  const options = streamOptions(query);
  const pod = findPod(lookup, { namespace, name, ...(uid === undefined ? {} : { uid }) });
  const id = runningContainerId(lookup, pod, container);
  const streams = await remoteStreams(upgrade, options);
  if (verb === "attach") return serveSession(runtime.attach(id, { stdin: options.stdin }), streams);
  const command = query.getAll("command");
  if (command.length === 0) return streams.finish(failureStatus(new Error("you must specify a command")));
  await serveSession(runtime.exec(id, { command, tty: options.tty, stdin: options.stdin }), streams);
}

async function servePorts(
  upgrade: Upgrade,
  path: readonly string[],
  { lookup, runtime }: UpgradeOptions,
): Promise<void> {
  const { request } = upgrade;
  const [, namespace = "", name = "", uid] = path;
  const pod = findPod(lookup, { namespace, name, ...(uid === undefined ? {} : { uid }) });
  const sandbox = lookup.state(pod.metadata.uid)?.sandboxes.find(({ ready }) => ready);
  if (!sandbox) throw new ServerError(500, `unable to find sandbox of pod "${name}"`);
  let transport: Duplex;
  if (isWebSocketUpgrade(request)) {
    const protocol = negotiate(offeredProtocols(request), [portForwardTunnelProtocol]);
    transport = messageDuplex(await acceptWebSocket(upgrade, protocol));
  } else {
    transport = acceptSpdy(upgrade, negotiate(offeredStreamProtocols(request), [portForwardProtocol]));
  }
  await servePortForward({
    transport,
    connect: (port) => runtime.portForward(sandbox.id, port),
    podWords: `${sandbox.id}, uid ${pod.metadata.uid}`,
  });
}

/** Answers a connection that will not be upgraded, and closes it. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const code = codeOf(error);
  const words = (error as Error).message;
  const reasons: Record<number, string> = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
  };
  const lines = [
    `HTTP/1.1 ${code} ${reasons[code] ?? "Internal Server Error"}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(words)}`,
    "Connection: close",
  ];
  if (!socket.destroyed) socket.end(`${lines.join("\r\n")}\r\n\r\n${words}`);
}

/** Serves one upgrade to its end. Rejects only before the protocol has been switched. */
export async function serveUpgrade(upgrade: Upgrade, options: UpgradeOptions): Promise<void> {
  const { request } = upgrade;
  const path = new URL(request.url ?? "/", "http://kubelet").pathname
    .split("/")
    .filter(Boolean)
    .map(decodeURIComponent);
  if (!isWebSocketUpgrade(request) && !isSpdyUpgrade(request)) {
    throw new ServerError(
      400,
      `unable to upgrade: missing upgrade headers in request: ${request.headers.upgrade ?? ""}`,
    );
  }
  if ((path[0] === "exec" || path[0] === "attach") && path.length >= 4) return serveCommand(upgrade, path, options);
  if (path[0] === "portForward" && path.length >= 3) return servePorts(upgrade, path, options);
  throw new ServerError(404, "404 page not found");
}
