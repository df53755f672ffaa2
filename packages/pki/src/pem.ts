// PEM text and the files that hold it: keys for their owner only, written whole or not at all.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Wraps DER in PEM armour of a label such as "CERTIFICATE". */
export function toPem(der: ArrayBuffer, label: string): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** Writes beside and renames, so that a reader never sees half a file. */
export function writeWhole(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, text, { mode });
  // The mode above passes through the umask.
  chmodSync(beside, mode);
  renameSync(beside, path);
}

/** The file's text; undefined when there is none. Throws ConfigError when it cannot be read. */
export function readIfPresent(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`open ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads <name>.crt and <name>.key; undefined unless both are there. */
export function readKeyPair(directory: string, name: string): KeyPair | undefined {
  const cert = readIfPresent(join(directory, `${name}.crt`));
  const key = readIfPresent(join(directory, `${name}.key`));
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

/** Writes <name>.crt (0644) and <name>.key (0600). */
export function writeKeyPair(directory: string, name: string, { cert, key }: KeyPair): void {
  writeWhole(join(directory, `${name}.key`), key, 0o600);
  writeWhole(join(directory, `${name}.crt`), cert, 0o644);
}
