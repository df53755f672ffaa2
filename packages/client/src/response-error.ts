// Rebuilds StatusErrors from answers. The only place where the wire's failures become errors.

import { type Status, StatusError } from "@picokube/api/errors";

/** The StatusError of an answer that is no success; a body that is no Status gets upstream's generic words. */
export function errorFromResponse(code: number, body: string): StatusError {
  const status = parseStatus(body);
  if (status) return errorFromStatus(status, code);
  const known = generic[code] ?? {
    reason: code >= 500 ? "InternalError" : "Unknown",
    message: `the server responded with the status code ${code} but did not return more information`,
  };
  const words = body.trim().slice(0, 2048);
  return new StatusError({
    code,
    reason: known.reason,
    message: known.message,
    ...(words ? { details: { causes: [{ reason: "UnexpectedServerResponse", message: words }] } } : {}),
  });
}

/** The StatusError that a Status object tells of, as in a watch's ERROR event. */
export function errorFromStatus(status: Partial<Status>, code = 500): StatusError {
  return new StatusError({
    code: status.code ?? code,
    reason: status.reason ?? "",
    message: status.message ?? `the server responded with the status code ${code}`,
    ...(status.details ? { details: status.details } : {}),
  });
}

function parseStatus(body: string): Partial<Status> | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(body) as Partial<Status>;
    return value.kind === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}

const generic: Readonly<Record<number, { reason: string; message: string }>> = {
  400: { reason: "BadRequest", message: "the server rejected our request for an unknown reason" },
  401: { reason: "Unauthorized", message: "the server has asked for the client to provide credentials" },
  403: { reason: "Forbidden", message: "unknown" },
  404: { reason: "NotFound", message: "the server could not find the requested resource" },
  405: { reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource" },
  406: {
    reason: "NotAcceptable",
    message: "the server was unable to respond with a content type that the client supports",
  },
  409: { reason: "Conflict", message: "the server reported a conflict" },
  410: { reason: "Gone", message: "the requested resource is gone" },
  413: { reason: "RequestEntityTooLarge", message: "the request was too large" },
  415: { reason: "UnsupportedMediaType", message: "the body of the request was in an unknown format" },
  422: { reason: "Invalid", message: "the server rejected our request due to an error in our request" },
  429: {
    reason: "TooManyRequests",
    message: "the server has received too many requests and has asked us to try again later",
  },
  503: { reason: "ServiceUnavailable", message: "the server is currently unable to handle the request" },
  504: {
    reason: "Timeout",
    message: "the server was unable to return a response in the time allotted, but may still be processing the request",
  },
};
