// The last word of an exec or attach: upstream's remotecommand.ServeExec. Pure.

import { internalError } from "@picokube/api/errors";
import type { RemoteStatus, TerminalSize } from "./remote-streams.js";

export const success: RemoteStatus = { metadata: {}, status: "Success" };

/** Success for 0, NonZeroExitCode otherwise. */
export function exitStatus(exitCode: number): RemoteStatus {
  if (exitCode === 0) return success;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: command terminated with exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** What went wrong on the way, as upstream's InternalError. */
export function failureStatus(error: unknown): RemoteStatus {
  const { kind: _kind, apiVersion: _apiVersion, ...status } = internalError(error).toStatus();
  return status;
}

/** The status as the protocol carries it: JSON from v4 on, before that the text of a failure, or nothing. */
export function encodeStatus(status: RemoteStatus, { json }: { json: boolean }): Buffer {
  if (json) return Buffer.from(JSON.stringify(status));
  return Buffer.from(status.status === "Success" ? "" : (status.message ?? ""));
}

/** One message of a resize stream; undefined when it is not one. */
export function parseTerminalSize(text: string): TerminalSize | undefined {
  try {
    const { Width: width, Height: height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    if (typeof width === "number" && typeof height === "number" && width > 0 && height > 0) return { width, height };
  } catch {
    // A client's nonsense changes no terminal.
  }
  return undefined;
}
