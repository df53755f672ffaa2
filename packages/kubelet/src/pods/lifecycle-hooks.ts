// Runs a container's postStart or preStop handler: exec, httpGet, sleep. Says how it failed by throwing; events and
// what follows are the caller's.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Container, LifecycleHandler } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "../cri/runtime.js";

export interface HookTarget {
  readonly handler: LifecycleHandler;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A container port by number or name; throws in upstream's words. */
export function resolvePort(port: string | number | undefined, container: Container): number {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: ${port} in container ${container.name}`);
  return named.containerPort;
}

function httpGet(target: HookTarget): Promise<void> {
  const { handler, container, podIp, timeoutMs, signal } = target;
  const { host, path = "/", port, scheme = "HTTP", httpHeaders = [] } = handler.httpGet!;
  const request = scheme === "HTTPS" ? httpsRequest : httpRequest;
  const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]));
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: host || podIp,
        port: resolvePort(port, container),
        path: path.startsWith("/") ? path : `/${path}`,
        headers,
        timeout: timeoutMs,
        rejectUnauthorized: false,
        signal,
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        if (status >= 400) reject(new Error(`HTTP lifecycle hook failed with status ${status}`));
        else resolve();
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("HTTP lifecycle hook timed out")));
    sent.on("error", reject);
    sent.end();
  });
}

async function exec(runtime: Runtime, { handler, containerId, container, timeoutMs }: HookTarget): Promise<void> {
  const command = handler.exec?.command ?? [];
  const { exitCode, output, timedOut } = await runtime.execSync(containerId, command, timeoutMs);
  const shown = `Exec lifecycle hook (${JSON.stringify(command)}) for Container ${JSON.stringify(container.name)} failed`;
  if (timedOut) throw new Error(`${shown} - error: command timed out, message: ${JSON.stringify(output)}`);
  if (exitCode === 0) return;
  throw new Error(
    `${shown} - error: command '${command.join(" ")}' exited with ${exitCode}, message: ${JSON.stringify(output)}`,
  );
}

/** Runs the handler to its end, its failure, or the timeout. */
export async function runHook(
  target: HookTarget,
  { runtime, clock }: { runtime: Runtime; clock: Clock },
): Promise<void> {
  const { handler, timeoutMs, signal } = target;
  if (handler.exec) return exec(runtime, target);
  if (handler.httpGet) return httpGet(target);
  if (handler.sleep) return clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs), signal);
  throw new Error(`invalid handler: ${JSON.stringify(handler)}`);
}
