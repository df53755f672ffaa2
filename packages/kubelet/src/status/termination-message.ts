// The last words of a container: its terminationMessagePath, or the tail of its log. Upstream's getTerminationMessage.

import { open } from "node:fs/promises";

const maxMessageBytes = 1024 * 4;
const maxLogLines = 80;
const maxLogBytes = 2048;

/** The end of a file, at most sizeBytes of it; "" when it cannot be read. */
async function tailOf(path: string, sizeBytes: number): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, sizeBytes));
      await file.read(buffer, 0, buffer.length, Math.max(0, size - buffer.length));
      return buffer.toString("utf8");
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}

/** The last lines and bytes of a log that upstream shows in place of a message. */
export function logTail(log: string): string {
  const lines = log.split("\n");
  const ended = lines.at(-1) === "";
  const kept = lines.slice(-(maxLogLines + (ended ? 1 : 0))).join("\n");
  const bytes = Buffer.from(kept);
  return bytes.length <= maxLogBytes ? kept : bytes.subarray(-maxLogBytes).toString("utf8").replace(/^�+/, "");
}

/** The message of a container that has ended. path is where terminationMessagePath lies on the host. */
export async function terminationMessage({
  path,
  policy,
  failed,
  readLog,
}: {
  path: string | undefined;
  policy: "File" | "FallbackToLogsOnError";
  failed: boolean;
  /** The end of the container's log, without timestamps. */
  readLog: () => Promise<string>;
}): Promise<string> {
  const message = path === undefined ? "" : await tailOf(path, maxMessageBytes);
  if (message !== "" || policy !== "FallbackToLogsOnError" || !failed) return message;
  return logTail(
    await readLog().catch((error: Error) => `Error on reading termination message from logs: ${error.message}`),
  );
}
