// Joins a runtime's exec or attach session with a client's streams until either ends.

import type { Readable, Writable } from "node:stream";
import type { ExecSession } from "../../../cri/runtime.js";
import { exitStatus, failureStatus, success } from "./exit-status.js";
import type { RemoteStreams } from "./remote-streams.js";
import { terminalResizer } from "./terminal-resizer.js";

/** How long output may lag behind the end of the process before the status is sent regardless. */
const drainMs = 5_000;

function ended(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (!from) return Promise.resolve();
  const done = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) from.once(event, () => resolve());
  });
  if (to) from.pipe(to, { end: false });
  else from.resume();
  return done;
}

/** Runs to the end of the session; the client gets its status, and is told of failures. */
export async function serveSession(open: Promise<ExecSession>, streams: RemoteStreams): Promise<void> {
  let session: ExecSession;
  try {
    session = await open;
  } catch (error) {
    await streams.finish(failureStatus(error));
    return;
  }
  try {
    const { stdin } = session;
    if (stdin && streams.stdin) {
      stdin.on("error", () => undefined);
      streams.stdin.pipe(stdin);
    }
    streams.onResize(terminalResizer((size) => session.resize(size)));
    const output = Promise.all([ended(session.stdout, streams.stdout), ended(session.stderr, streams.stderr)]);
    const exitCode = await Promise.race([session.exited, streams.closed.then(() => "gone" as const)]);
    if (exitCode === "gone") return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([output, streams.closed, late]);
    clearTimeout(timer);
    await streams.finish(exitCode === undefined ? success : exitStatus(exitCode));
  } catch (error) {
    await streams.finish(failureStatus(error));
  } finally {
    session.close();
  }
}
