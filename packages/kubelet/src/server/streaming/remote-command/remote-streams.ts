// What exec and attach need of a connection, whichever protocol carries it. Types only.

import type { Readable, Writable } from "node:stream";
import type { Status } from "@picokube/api/errors";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** What the client asked for with its query. */
export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  onResize(listener: (size: TerminalSize) => void): void;
  /** Resolves when the client has gone. */
  readonly closed: Promise<void>;
  /** Sends the outcome, ends the streams and closes the connection. */
  finish(status: RemoteStatus): Promise<void>;
}

/** A metav1.Status as the error stream of v4 carries it: without kind, apiVersion and, for exit codes, code. */
export type RemoteStatus = Pick<Status, "metadata" | "status"> & Partial<Omit<Status, "metadata" | "status">>;
