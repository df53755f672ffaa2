// Probes and lifecycle handlers, in upstream's words (upstream: validateProbe, validateHandler). Pure.

import type { Lifecycle, LifecycleHandler, Probe } from "@picokube/api/core/v1";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { isHTTPHeaderName, isValidPortNum } from "@picokube/api/validation/names";
import { nonnegative, objections, oneOf, portNumberOrName } from "../check.js";

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

function validateHandler(handler: Handler, path: string, gracePeriodSeconds: number): FieldError[] {
  const faults: FieldError[] = [];
  let count = 0;
  const first = (kind: string): boolean => {
    count++;
    if (count > 1) faults.push(forbiddenField(`${path}.${kind}`, "may not specify more than 1 handler type"));
    return count === 1;
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec && first("exec") && (exec.command ?? []).length === 0) faults.push(required(`${path}.exec.command`));
  if (httpGet && first("httpGet")) {
    if (!httpGet.path) faults.push(required(`${path}.httpGet.path`));
    faults.push(...portNumberOrName(`${path}.httpGet.port`, httpGet.port));
    faults.push(...oneOf(`${path}.httpGet.scheme`, httpGet.scheme, ["HTTP", "HTTPS"]));
    for (const { name } of httpGet.httpHeaders ?? []) {
      faults.push(...objections(`${path}.httpGet.httpHeaders`, name, isHTTPHeaderName(name)));
    }
  }
  if (tcpSocket && first("tcpSocket")) faults.push(...portNumberOrName(`${path}.tcpSocket.port`, tcpSocket.port));
  if (grpc && first("grpc")) faults.push(...objections(`${path}.grpc.port`, grpc.port, isValidPortNum(grpc.port)));
  if (sleep && first("sleep") && (sleep.seconds < 0 || sleep.seconds > gracePeriodSeconds)) {
    const words = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`;
    faults.push(invalidValue(`${path}.sleep`, sleep.seconds, words));
  }
  if (count === 0) faults.push(required(path, "must specify a handler type"));
  return faults;
}

/** One probe; liveness and startup probes must succeed once only. */
export function validateProbe(
  probe: Probe | undefined,
  path: string,
  { onlyOnce, gracePeriodSeconds }: { onlyOnce: boolean; gracePeriodSeconds: number },
): FieldError[] {
  if (!probe) return [];
  const faults = validateHandler(probe, path, gracePeriodSeconds);
  faults.push(...nonnegative(`${path}.initialDelaySeconds`, probe.initialDelaySeconds));
  faults.push(...nonnegative(`${path}.timeoutSeconds`, probe.timeoutSeconds));
  faults.push(...nonnegative(`${path}.periodSeconds`, probe.periodSeconds));
  faults.push(...nonnegative(`${path}.successThreshold`, probe.successThreshold));
  faults.push(...nonnegative(`${path}.failureThreshold`, probe.failureThreshold));
  const grace = probe.terminationGracePeriodSeconds;
  const field = `${path}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) faults.push(invalidValue(field, grace, "must be greater than 0"));
  if (grace !== undefined && !onlyOnce) faults.push(invalidValue(field, grace, "must not be set for readinessProbes"));
  if (onlyOnce && probe.successThreshold !== 1) {
    faults.push(invalidValue(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  return faults;
}

/** The hooks after start and before stop. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  path: string,
  gracePeriodSeconds: number,
): FieldError[] {
  const faults: FieldError[] = [];
  if (lifecycle?.postStart) {
    faults.push(...validateHandler(lifecycle.postStart, `${path}.postStart`, gracePeriodSeconds));
  }
  if (lifecycle?.preStop) faults.push(...validateHandler(lifecycle.preStop, `${path}.preStop`, gracePeriodSeconds));
  return faults;
}
