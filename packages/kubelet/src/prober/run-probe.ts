// One probe of one container, whichever its kind.

import type { Container, Probe } from "@picokube/api/core/v1";
import { formatDuration } from "@picokube/component-base/duration";
import type { Runtime } from "../cri/runtime.js";
import { probeGrpc } from "./grpc-probe.js";
import { urlOf } from "./http-get.js";
import { probeHttp } from "./http-probe.js";
import { ProbeError, type ProbeOutcome, resolvePort } from "./probe-outcome.js";
import { probeTcp } from "./tcp-probe.js";

const maxOutputBytes = 10 * 1024;

export interface ProbeTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

async function probeExec(
  runtime: Runtime,
  { containerId }: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const result = await runtime.execSync(containerId, command, timeoutMs).catch((error: Error) => {
    throw new ProbeError(error.message, { cause: error });
  });
  if (result.timedOut) {
    const words = JSON.stringify(command.join(" "));
    return { success: false, message: `command timed out: ${words} timed out after ${formatDuration(timeoutMs)}` };
  }
  return { success: result.exitCode === 0, message: result.output.slice(0, maxOutputBytes) };
}

/** Rejects with a ProbeError when the probe could not be run. */
export async function runProbe(runtime: Runtime, probe: Probe, target: ProbeTarget): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { container, podIp } = target;
  if (probe.exec) return probeExec(runtime, target, probe.exec.command ?? [], timeoutMs);
  if (probe.httpGet) {
    const url = urlOf(probe.httpGet, container, podIp);
    return probeHttp({ url, headers: probe.httpGet.httpHeaders ?? [], timeoutMs });
  }
  if (probe.tcpSocket) {
    return probeTcp({
      host: probe.tcpSocket.host || podIp,
      port: resolvePort(probe.tcpSocket.port, container),
      timeoutMs,
    });
  }
  if (probe.grpc)
    return probeGrpc({ host: podIp, port: probe.grpc.port, service: probe.grpc.service ?? "", timeoutMs });
  throw new ProbeError(`missing probe handler for container ${container.name}`);
}
