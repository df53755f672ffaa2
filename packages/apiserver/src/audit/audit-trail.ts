// What is recorded of one request while it runs: an event when it is received, when a long answer starts, and when it is
// complete. Watches the request and its answer from outside; changes neither.

import type { IncomingMessage, ServerResponse } from "node:http";
import { formatMicroTime } from "@picokube/api/time";
import type { UserInfo } from "../authn/authenticator.js";
import type { Attributes } from "../authz/authorizer.js";
import { type AuditEvent, auditUser, objectReference } from "./audit-event.js";
import type { Verdict } from "./audit-level.js";
import { LEVELS, type Stage } from "./audit-policy.js";
import { objectOf, withoutManagedFields } from "./recorded-object.js";

const MAX_USER_AGENT = 1024;

export interface AuditTrail {
  /** The request acts as somebody else. */
  impersonates(user: UserInfo): void;
  decided(decision: "allow" | "forbid", reason: string): void;
  /** What admission has to say; the first word about a key stays (upstream: AddAuditAnnotation). */
  annotate(key: string, value: string): void;
  /** The request's whole body. */
  received(body: Buffer): void;
  /** The connection now belongs to an upgraded protocol. */
  upgraded(): void;
  /** Records the end, once. */
  complete(answer: { code: number; body?: Buffer; message?: string }): void;
}

export interface TrailOptions {
  readonly request: IncomingMessage;
  readonly attributes: Attributes;
  readonly auditId: string;
  readonly verdict: Verdict;
  readonly write: (event: AuditEvent) => void;
  readonly now: () => number;
}

/** Begins with the stage RequestReceived. */
export function createAuditTrail({ request, attributes, auditId, verdict, write, now }: TrailOptions): AuditTrail {
  const { level, omitStages, omitManagedFields } = verdict;
  const keepsRequest = LEVELS.indexOf(level) >= LEVELS.indexOf("Request");
  const userAgent = request.headers["user-agent"];
  const sourceIPs = sourceAddresses(request);
  const receivedAt = formatMicroTime(now());
  const event: Omit<AuditEvent, "stage" | "stageTimestamp"> = {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level,
    auditID: auditId,
    requestURI: request.url ?? "",
    verb: attributes.verb,
    user: auditUser(attributes.user),
    ...(sourceIPs.length > 0 ? { sourceIPs } : {}),
    ...(userAgent ? { userAgent: shortened(userAgent) } : {}),
    ...(attributes.resource ? { objectRef: objectReference(attributes.resource) } : {}),
    requestReceivedTimestamp: receivedAt,
  };
  const kept = (object: unknown) => (omitManagedFields ? withoutManagedFields(object) : object);
  let over = false;
  const record = (stage: Stage) => {
    if (omitStages.includes(stage)) return;
    const { requestReceivedTimestamp, annotations, ...rest } = event;
    const stageTimestamp = formatMicroTime(now());
    write({ ...rest, stage, requestReceivedTimestamp, stageTimestamp, ...(annotations ? { annotations } : {}) });
  };
  record("RequestReceived");
  return {
    impersonates(user) {
      event.impersonatedUser = auditUser(user);
    },
    decided(decision, reason) {
      event.annotations = {
        ...event.annotations,
        "authorization.k8s.io/decision": decision,
        "authorization.k8s.io/reason": reason,
      };
    },
    annotate(key, value) {
      event.annotations = { [key]: value, ...event.annotations };
    },
    received(body) {
      const object = objectOf(body);
      const reference = event.objectRef;
      if (reference && object) {
        const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
        if (name) reference.name ??= name;
        if (namespace) reference.namespace ??= namespace;
        if (uid) reference.uid ??= uid;
        if (resourceVersion) reference.resourceVersion ??= resourceVersion;
      }
      if (keepsRequest && object) event.requestObject = kept(object);
    },
    upgraded() {
      event.responseStatus = { metadata: {}, code: 101 };
      record("ResponseStarted");
    },
    complete({ code, body, message }) {
      if (over) return;
      over = true;
      const object = body && objectOf(body);
      event.responseStatus = {
        metadata: {},
        ...(object?.kind === "Status" && code >= 400
          ? { status: object.status as string, message: object.message as string, reason: object.reason as string }
          : {}),
        ...(message ? { message } : {}),
        code,
      };
      if (level === "RequestResponse" && object) event.responseObject = kept(object);
      record("ResponseComplete");
    },
  };
}

/** Follows the answer: what a long one starts with, what is written at the level RequestResponse, and its end. */
export function followResponse(
  trail: AuditTrail,
  response: ServerResponse,
  { keepsBody, isLongRunning }: { keepsBody: boolean; isLongRunning: boolean },
): void {
  const chunks: Buffer[] = [];
  const collect = (chunk: unknown) => {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string));
  };
  if (isLongRunning) {
    const { writeHead } = response;
    response.writeHead = ((...args: Parameters<typeof writeHead>) => {
      trail.upgraded();
      return writeHead.apply(response, args);
    }) as typeof writeHead;
  } else {
    const { write, end } = response;
    response.write = ((...args: [chunk: unknown]) => {
      if (keepsBody || response.statusCode >= 400) collect(args[0]);
      return write.apply(response, args as never);
    }) as typeof write;
    response.end = ((...args: [chunk: unknown]) => {
      if (keepsBody || response.statusCode >= 400) collect(args[0]);
      return end.apply(response, args as never);
    }) as typeof end;
  }
  response.once("close", () => {
    trail.complete({ code: response.statusCode, ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}) });
  });
}

/** Upstream: utilnet.SourceIPs. */
function sourceAddresses({ headers, socket }: IncomingMessage): string[] {
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((address) => address.trim())
    .filter((address) => /^[0-9a-fA-F.:]+$/.test(address));
  const real = String(headers["x-real-ip"] ?? "");
  const all = [...forwarded, ...(real ? [real] : []), (socket.remoteAddress ?? "").replace(/^::ffff:/, "")];
  return all.filter((address, index) => address !== "" && address !== all[index - 1]);
}

function shortened(userAgent: string): string {
  return userAgent.length > MAX_USER_AGENT ? `${userAgent.slice(0, MAX_USER_AGENT)}...TRUNCATED` : userAgent;
}
