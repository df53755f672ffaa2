// One audit event (audit.k8s.io/v1 Event) as it goes into the log. Shapes only.

import type { UserInfo } from "../authn/authenticator.js";
import type { Attributes } from "../authz/authorizer.js";
import type { Level, Stage } from "./audit-policy.js";

export interface AuditUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

export interface ObjectReference {
  resource?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiGroup?: string;
  apiVersion?: string;
  resourceVersion?: string;
  subresource?: string;
}

/** Fields in upstream's order, times with microseconds. */
export interface AuditEvent {
  kind: "Event";
  apiVersion: "audit.k8s.io/v1";
  level: Level;
  auditID: string;
  stage: Stage;
  requestURI: string;
  verb: string;
  user: AuditUser;
  impersonatedUser?: AuditUser;
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: ObjectReference;
  responseStatus?: { metadata: object; status?: string; message?: string; reason?: string; code?: number };
  requestObject?: unknown;
  responseObject?: unknown;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: { [key: string]: string };
}

export function auditUser({ name, uid, groups, extra }: UserInfo): AuditUser {
  return {
    ...(name ? { username: name } : {}),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** Upstream: the ObjectRef of NewEventFromRequest. */
export function objectReference(resource: NonNullable<Attributes["resource"]>): ObjectReference {
  const { group, version, namespace, name, subresource } = resource;
  return {
    resource: resource.resource,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(group ? { apiGroup: group } : {}),
    ...(version ? { apiVersion: version } : {}),
    ...(subresource ? { subresource } : {}),
  };
}
