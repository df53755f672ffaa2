// What a single probe found. Types and the error that means "could not be asked at all".

export interface ProbeOutcome {
  readonly success: boolean;
  /** Upstream's words for a failure, or a warning. */
  readonly message: string;
  /** A success that somebody should look at. */
  readonly isWarning?: boolean;
}

/** The probe itself could not be run (no such port, runtime gone): upstream's "errored", retried at once. */
export class ProbeError extends Error {
  override readonly name = "ProbeError";
}

/** A number, or the name of one of the container's ports. */
export function resolvePort(
  port: number | string,
  container: { readonly name: string; readonly ports?: readonly { name?: string; containerPort: number }[] },
): number {
  const number = typeof port === "number" || /^\d+$/.test(port) ? Number(port) : undefined;
  const found = number ?? container.ports?.find(({ name }) => name === port)?.containerPort;
  if (found === undefined) throw new ProbeError(`couldn't find port: "${port}" in container: "${container.name}"`);
  if (found < 1 || found > 65535) throw new ProbeError(`invalid port number: ${found}`);
  return found;
}

/** host:port with an IPv6 host in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Go's words for a socket that failed. */
export function dialError(error: NodeJS.ErrnoException, address: string): string {
  const words: Record<string, string> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "i/o timeout",
    ECONNRESET: "connection reset by peer",
  };
  return `dial tcp ${address}: ${words[error.code ?? ""] ?? error.message}`;
}
