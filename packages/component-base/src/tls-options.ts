// Certificates of listeners: read from files, TLS 1.2 at least, read again when a file changes. Makes no certificates.

import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Server, TlsOptions } from "node:tls";
import { ConfigError } from "./config-error.js";
import type { Logger } from "./logger.js";

export interface ServingTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Certificates of clients are asked for and checked against it; a client without one still gets through to authentication. */
  readonly clientCaFile?: string | undefined;
}

/** What an HTTPS server needs: its first options, and attach, which gives it new ones as the files change. */
export interface ServingTls {
  readonly options: TlsOptions;
  attach(server: Server): void;
}

const pollIntervalMs = 10_000;

/** Serves these files; a changed file that does not fit is logged and the old one stays in use. */
export function servingTls({ logger, ...files }: ServingTlsFiles & { readonly logger: Logger }): ServingTls {
  const options = readOptions(files);
  return {
    options,
    attach(server) {
      const reload = () => {
        try {
          server.setSecureContext(readOptions(files));
          logger.info("Reloaded serving certificate", { certFile: files.certFile });
        } catch (error) {
          logger.warn("Serving certificate could not be reloaded, the previous one stays", { err: error });
        }
      };
      const paths = [files.certFile, files.keyFile, ...(files.clientCaFile ? [files.clientCaFile] : [])];
      for (const path of paths) watchFile(path, { interval: pollIntervalMs, persistent: false }, reload);
      server.once("close", () => {
        for (const path of paths) unwatchFile(path, reload);
      });
    },
  };
}

/** Serves a certificate that is held in memory. */
export function staticTls({
  cert,
  key,
  clientCa,
}: {
  cert: string;
  key: string;
  clientCa?: string | undefined;
}): ServingTls {
  return { options: { ...baseOptions, cert, key, ...(clientCa ? { ca: clientCa } : {}) }, attach() {} };
}

// Authentication decides what an absent or foreign certificate means, not the handshake.
const baseOptions: TlsOptions = {
  minVersion: "TLSv1.2",
  requestCert: true,
  rejectUnauthorized: false,
  ALPNProtocols: ["http/1.1"],
};

function readOptions({ certFile, keyFile, clientCaFile }: ServingTlsFiles): TlsOptions {
  return {
    ...baseOptions,
    cert: read(certFile),
    key: read(keyFile),
    ...(clientCaFile ? { ca: read(clientCaFile) } : {}),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`open ${path}: ${(error as Error).message}`, { cause: error });
  }
}
