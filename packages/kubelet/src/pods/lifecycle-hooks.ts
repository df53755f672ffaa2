// Runs a container's postStart or preStop handler: exec, httpGet, sleep. Says how it failed by throwing, in the words of
// upstream's lifecycle/handlers.go; what follows from a failure is the caller's.

import type { Container, HTTPGetAction, LifecycleHandler, Pod } from "@picokube/api/core/v1";
import { httpGet, urlOf } from "../prober/http-get.js";
import type { PodContext } from "./pod-context.js";
import { podName } from "./pod-events.js";

export interface HookTarget {
  readonly handler: LifecycleHandler;
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

type Running = Pick<PodContext, "runtime" | "clock" | "events">;

/** What OpenSSL says of an answer that is no TLS. */
const notTls = new Set(["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG"]);

/** Any answer will do. One in plain HTTP where HTTPS was asked for leads to a second request, in plain HTTP. */
async function get(action: HTTPGetAction, target: HookTarget, { events }: Running): Promise<void> {
  const { pod, container, podIp = "", timeoutMs } = target;
  const url = urlOf(action, container, podIp);
  const request = { headers: action.httpHeaders ?? [], userAgent: "kube-lifecycle/1.33" };
  const signal = AbortSignal.any([target.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    await httpGet({ ...request, url }, signal);
  } catch (error) {
    if (!notTls.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    const plain = new URL(url.href.replace(/^https:/, "http:"));
    const headers = request.headers.filter(({ name }) => name.toLowerCase() !== "authorization");
    await httpGet({ ...request, headers, url: plain }, signal);
    const message = `request to HTTPS lifecycle hook ${url.host} got HTTP response, retry with HTTP succeeded`;
    events.warning(pod, { reason: "LifecycleHTTPFallback", message });
  }
}

async function exec(
  command: readonly string[],
  { containerId, timeoutMs }: HookTarget,
  { runtime }: Running,
): Promise<void> {
  const { exitCode, output, stderr, timedOut } = await runtime.execSync(containerId, command, timeoutMs);
  if (exitCode === 0 && !timedOut) return;
  const words = command.join(" ");
  const error = timedOut ? `command ${JSON.stringify(words)} timed out` : `command '${words}' exited with ${exitCode}`;
  throw new Error(`${error}${timedOut ? "" : `: ${stderr}`}, message: ${JSON.stringify(output)}`);
}

/** Runs the handler to its end, its failure, or the timeout. A sleep that the timeout cuts short has not failed. */
export async function runHook(target: HookTarget, context: Running): Promise<void> {
  const { handler, pod, container, timeoutMs, signal } = target;
  const of = `for Container ${JSON.stringify(container.name)} in Pod ${JSON.stringify(podName(pod))} failed - error:`;
  const told = (work: Promise<void>, hook: string) =>
    work.catch((error: Error) => {
      throw new Error(`${hook} ${of} ${error.message}`, { cause: error });
    });
  if (handler.exec) {
    const { command = [] } = handler.exec;
    return told(exec(command, target, context), `Exec lifecycle hook ([${command.join(" ")}])`);
  }
  if (handler.httpGet) {
    const { path = "" } = handler.httpGet;
    return told(get(handler.httpGet, target, context), `HTTP lifecycle hook (${path})`);
  }
  if (handler.sleep) return context.clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs), signal);
  throw new Error(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`);
}
