// The audit pipeline out of the command line: policy, backends, counters. Made only when there is --audit-policy-file.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { internalError } from "@picokube/api/errors";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { Attributes } from "../authz/authorizer.js";
import { onBody } from "../handlers/exchange.js";
import type { AuditEvent } from "./audit-event.js";
import { auditLevel } from "./audit-level.js";
import { readAuditPolicy } from "./audit-policy.js";
import { type AuditTrail, createAuditTrail, followResponse } from "./audit-trail.js";
import { type AuditBackend, createLogBackend } from "./log-backend.js";
import { createWebhookBackend } from "./webhook-backend.js";

export interface AuditOptions {
  readonly auditPolicyFile: string;
  readonly auditLogPath: string;
  readonly auditLogMaxage: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxsize: number;
  readonly auditLogFormat: string;
  readonly auditLogMode: string;
  readonly auditWebhookConfigFile: string;
  readonly auditWebhookBatchBufferSize: number;
  readonly auditWebhookBatchMaxSize: number;
  readonly auditWebhookBatchMaxWait: number;
  readonly auditWebhookInitialBackoff: number;
}

export interface AuditedRequest {
  readonly request: IncomingMessage;
  readonly attributes: Attributes;
  readonly auditId: string;
  readonly isLongRunning: boolean;
}

export interface Audit {
  /** Begins the trail of a request that will be answered; undefined when the policy wants nothing of it. Throws in strict mode. */
  begin(asked: AuditedRequest & { response: ServerResponse }): AuditTrail | undefined;
  /** The same for a request that asks for another protocol. */
  beginUpgrade(asked: AuditedRequest & { socket: Duplex }): AuditTrail | undefined;
  close(): Promise<void>;
}

/** Throws ConfigError. */
export async function createAudit(
  options: AuditOptions,
  { clock, logger, metrics }: { clock: Clock; logger: Logger; metrics: Metrics },
): Promise<Audit> {
  if (!["json", "legacy"].includes(options.auditLogFormat)) {
    throw new ConfigError(`invalid audit log format ${options.auditLogFormat}, allowed formats are "legacy,json"`);
  }
  if (!["batch", "blocking", "blocking-strict"].includes(options.auditLogMode)) {
    const modes = '"batch,blocking,blocking-strict"';
    throw new ConfigError(`invalid audit log mode ${options.auditLogMode}, allowed modes are ${modes}`);
  }
  const policy = await readAuditPolicy(options.auditPolicyFile);
  const events = metrics.counter({
    name: "apiserver_audit_event_total",
    help: "Counter of audit events generated and sent to the audit backend.",
  });
  const errors = metrics.counter({
    name: "apiserver_audit_error_total",
    help: "Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.",
    labels: ["plugin"],
  });
  const backends = [
    ...logBackends(options, clock),
    ...(await webhookBackends(options, { clock, logger, onLoss: (count) => errors.inc({ plugin: "webhook" }, count) })),
  ];
  const isStrict = options.auditLogMode === "blocking-strict";
  const write = (event: AuditEvent) => {
    events.inc();
    for (const backend of backends) {
      try {
        backend.write(event);
      } catch (error) {
        errors.inc({ plugin: "log" });
        logger.error("an audit event could not be written", { auditID: event.auditID, err: error });
        if (isStrict && event.stage === "RequestReceived") throw internalError("failed to write audit event");
      }
    }
  };
  const trailOf = ({ request, attributes, auditId }: AuditedRequest) => {
    const verdict = auditLevel(policy, attributes);
    if (verdict.level === "None") return undefined;
    const trail = createAuditTrail({ request, attributes, auditId, verdict, write, now: () => clock.now() });
    onBody(request, (body) => trail.received(body));
    return { trail, verdict };
  };
  return {
    begin({ response, isLongRunning, ...asked }) {
      const begun = trailOf({ ...asked, isLongRunning });
      if (!begun) return undefined;
      const keepsBody = begun.verdict.level === "RequestResponse";
      followResponse(begun.trail, response, { keepsBody, isLongRunning });
      return begun.trail;
    },
    beginUpgrade({ socket, ...asked }) {
      const begun = trailOf(asked);
      // Refusals complete the trail before the socket closes.
      socket.once("close", () => begun?.trail.complete({ code: 101 }));
      return begun?.trail;
    },
    async close() {
      for (const backend of backends) await backend.close();
    },
  };
}

function logBackends(options: AuditOptions, clock: Clock): AuditBackend[] {
  if (options.auditLogPath === "") return [];
  const backend = createLogBackend({
    path: options.auditLogPath,
    maxAge: options.auditLogMaxage,
    maxBackup: options.auditLogMaxbackup,
    maxSize: options.auditLogMaxsize,
    format: options.auditLogFormat as "json" | "legacy",
    now: () => clock.now(),
  });
  return [backend];
}

async function webhookBackends(
  options: AuditOptions,
  { clock, logger, onLoss }: { clock: Clock; logger: Logger; onLoss: (count: number) => void },
): Promise<AuditBackend[]> {
  if (options.auditWebhookConfigFile === "") return [];
  // Loaded only where events are sent: the client weighs more than the rest of auditing.
  const { loadKubeconfig } = await import("@picokube/client/kubeconfig");
  const { createClient } = await import("@picokube/client/rest-client");
  const client = createClient({
    kubeconfig: loadKubeconfig(options.auditWebhookConfigFile),
    userAgent: "kube-apiserver-audit",
    clock,
  });
  const headers = { "content-type": "application/json" };
  const backend = createWebhookBackend({
    post: (body) => client.raw({ method: "POST", path: "", body, headers }),
    bufferSize: options.auditWebhookBatchBufferSize,
    batchMaxSize: options.auditWebhookBatchMaxSize,
    batchMaxWaitMs: options.auditWebhookBatchMaxWait,
    initialBackoffMs: options.auditWebhookInitialBackoff,
    onLoss,
    clock,
    logger,
  });
  return [
    {
      write: (event) => backend.write(event),
      async close() {
        await backend.close();
        await client.close();
      },
    },
  ];
}
