// StatusError: the one error type that crosses the API. Made by the functions below with upstream's words
// (apimachinery pkg/api/errors), serialised in one place by the apiserver, rebuilt in one place by the client.

import type { GroupResource } from "./resource.js";
import { groupResourceName } from "./resource.js";

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** metav1.Status as it goes over the wire. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, never>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(
    { code, reason, message, details }: { code: number; reason: string; message: string; details?: StatusDetails },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "StatusError";
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** One fault of one field, as upstream's field.Error; made by validation/field-error.ts. */
export interface FieldError {
  /** "FieldValueRequired", "FieldValueInvalid", ...: the cause's reason. */
  readonly reason: string;
  readonly field: string;
  /** Without the field: `Required value`, `Invalid value: "A_b": a lowercase RFC 1123 label must ...`. */
  readonly message: string;
}

function detailsFor({ group, resource }: GroupResource, name?: string): StatusDetails {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource };
}

export function notFound(resource: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 404,
    reason: "NotFound",
    message: `${groupResourceName(resource)} "${name}" not found`,
    details: detailsFor(resource, name),
  });
}

export function alreadyExists(resource: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 409,
    reason: "AlreadyExists",
    message: `${groupResourceName(resource)} "${name}" already exists`,
    details: detailsFor(resource, name),
  });
}

export function conflict(
  resource: GroupResource,
  name: string,
  why = "the object has been modified; please apply your changes to the latest version and try again",
): StatusError {
  return new StatusError({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${groupResourceName(resource)} "${name}": ${why}`,
    details: detailsFor(resource, name),
  });
}

/** 422 with one cause a field: upstream's NewInvalid. */
export function invalid(
  { group, kind }: { group: string; kind: string },
  name: string,
  faults: readonly FieldError[],
): StatusError {
  const words = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const unique = [...new Set(words)];
  const aggregate = unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: `${group === "" ? kind : `${kind}.${group}`} "${name}" is invalid: ${aggregate}`,
    details: {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      kind,
      causes: faults.map(({ reason, field, message }) => ({ reason, message, field })),
    },
  });
}

export function badRequest(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 400, reason: "BadRequest", message }, options);
}

export function unauthorized(message = "Unauthorized"): StatusError {
  return new StatusError({ code: 401, reason: "Unauthorized", message });
}

/** 403 in upstream's words: `pods "x" is forbidden: why`. */
export function forbidden(resource: GroupResource, name: string, why: string): StatusError {
  const named = groupResourceName(resource);
  const message =
    named === ""
      ? `forbidden: ${why}`
      : name
        ? `${named} "${name}" is forbidden: ${why}`
        : `${named} is forbidden: ${why}`;
  return new StatusError({ code: 403, reason: "Forbidden", message, details: detailsFor(resource, name) });
}

export function methodNotAllowed(resource: GroupResource, action: string): StatusError {
  return new StatusError({
    code: 405,
    reason: "MethodNotAllowed",
    message: `${action} is not supported on resources of kind "${groupResourceName(resource)}"`,
    details: detailsFor(resource),
  });
}

/** 410 for a continue token or an old list revision. */
export function resourceExpired(message: string): StatusError {
  return new StatusError({ code: 410, reason: "Expired", message });
}

/** 410 for a watch below the compaction. */
export function gone(message: string): StatusError {
  return new StatusError({ code: 410, reason: "Gone", message });
}

export function tooLarge(message: string): StatusError {
  return new StatusError({ code: 413, reason: "RequestEntityTooLarge", message });
}

export function unsupportedMediaType(message: string): StatusError {
  return new StatusError({ code: 415, reason: "UnsupportedMediaType", message });
}

export function notAcceptable(message: string): StatusError {
  return new StatusError({ code: 406, reason: "NotAcceptable", message });
}

export function serviceUnavailable(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 503, reason: "ServiceUnavailable", message }, options);
}

export function timeout(message: string): StatusError {
  return new StatusError({ code: 504, reason: "Timeout", message });
}

export function internalError(error: unknown): StatusError {
  const message = error instanceof Error ? error.message : String(error);
  return new StatusError(
    {
      code: 500,
      reason: "InternalError",
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    },
    { cause: error },
  );
}

const isReason =
  (reason: string) =>
  (error: unknown): error is StatusError =>
    error instanceof StatusError && error.reason === reason;

export const isNotFound = isReason("NotFound");
export const isAlreadyExists = isReason("AlreadyExists");
export const isConflict = isReason("Conflict");
export const isInvalid = isReason("Invalid");
export const isForbidden = isReason("Forbidden");
export const isUnauthorized = isReason("Unauthorized");
export const isTooManyRequests = isReason("TooManyRequests");

/** 410, whichever reason it carries: list again. */
export function isGone(error: unknown): error is StatusError {
  return error instanceof StatusError && error.code === 410;
}
