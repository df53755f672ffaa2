// --audit-log-path: one event a line, in a file that is rotated as upstream's (lumberjack: size in megabytes, number and
// age of old files), or on standard output. An event is in the file before its request's answer is complete.

import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import type { AuditEvent } from "./audit-event.js";

const MEGABYTE = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MEGABYTES = 100;

export interface LogOptions {
  /** "-" is standard output. */
  readonly path: string;
  /** Days; 0 keeps them all. */
  readonly maxAge: number;
  /** Old files; 0 keeps them all. */
  readonly maxBackup: number;
  /** Megabytes until a new file is begun; 0 is lumberjack's 100. */
  readonly maxSize: number;
  readonly format: "json" | "legacy";
  readonly now: () => number;
}

export interface AuditBackend {
  write(event: AuditEvent): void;
  close(): Promise<void>;
}

/** Throws ConfigError when the file cannot be opened. A write that fails later throws: the caller counts it. */
export function createLogBackend(options: LogOptions): AuditBackend {
  const line = (event: AuditEvent) =>
    Buffer.from(options.format === "legacy" ? legacyLine(event) : `${JSON.stringify(event)}\n`);
  if (options.path === "-") {
    return { write: (event) => void process.stdout.write(line(event)), async close() {} };
  }
  const limitBytes = (options.maxSize > 0 ? options.maxSize : DEFAULT_MEGABYTES) * MEGABYTE;
  let file = openLog(options.path);
  let sizeBytes = fstatSync(file).size;
  return {
    write(event) {
      const bytes = line(event);
      if (sizeBytes + bytes.length > limitBytes && sizeBytes > 0) {
        closeSync(file);
        rotate(options);
        file = openLog(options.path);
        sizeBytes = 0;
      }
      sizeBytes += writeSync(file, bytes);
    },
    async close() {
      closeSync(file);
    },
  };
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "a", 0o600);
  } catch (error) {
    throw new ConfigError(`--audit-log-path: ${(error as Error).message}`, { cause: error });
  }
}

/** "audit.log" becomes "audit-2026-11-21T11-22-33.444.log"; what is too old or too many goes. */
function rotate({ path, maxAge, maxBackup, now }: LogOptions): void {
  const [directory, extension] = [dirname(path), extname(path)];
  const stem = basename(path, extension);
  const stamp = new Date(now()).toISOString().replace(/:/g, "-").replace("Z", "");
  renameSync(path, join(directory, `${stem}-${stamp}${extension}`));
  const backups = readdirSync(directory)
    .filter((name) => name.startsWith(`${stem}-`) && name.endsWith(extension))
    .sort()
    .reverse();
  for (const [index, name] of backups.entries()) {
    const backup = join(directory, name);
    const isOld = maxAge > 0 && now() - statSync(backup).mtimeMs > maxAge * DAY_MS;
    if (isOld || (maxBackup > 0 && index >= maxBackup)) rmSync(backup, { force: true });
  }
}

/** Upstream: audit.EventString. */
function legacyLine(event: AuditEvent): string {
  const { user, objectRef: reference, sourceIPs = [] } = event;
  const asUser = event.impersonatedUser?.username ?? "<self>";
  const asGroups = event.impersonatedUser?.groups?.map((group) => JSON.stringify(group)).join(",") ?? "<lookup>";
  const groups = user.groups?.map((group) => JSON.stringify(group)).join(",") ?? "<none>";
  const words: [string, string][] = [
    ["ip", JSON.stringify(sourceIPs[0] ?? "<unknown>")],
    ["method", JSON.stringify(event.verb)],
    ["user", JSON.stringify(user.username ?? "<none>")],
    ["groups", JSON.stringify(groups)],
    ["as", JSON.stringify(asUser)],
    ["asgroups", JSON.stringify(asGroups)],
    ["user-agent", JSON.stringify(event.userAgent ?? "")],
    ["namespace", JSON.stringify(reference?.namespace ?? "<none>")],
    ["uri", JSON.stringify(event.requestURI)],
    ["response", JSON.stringify(event.responseStatus ? String(event.responseStatus.code ?? 0) : "<deferred>")],
  ];
  const fields = words.map(([name, value]) => `${name}=${value}`).join(" ");
  return `${event.requestReceivedTimestamp} AUDIT: id=${JSON.stringify(event.auditID)} stage=${JSON.stringify(event.stage)} ${fields}\n`;
}
