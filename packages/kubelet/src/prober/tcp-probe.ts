// tcpSocket probes: a connection that opens is success.

import { connect } from "node:net";
import { dialError, hostPort, type ProbeOutcome } from "./probe-outcome.js";

/** Connects once and hangs up. */
export function probeTcp({
  host,
  port,
  timeoutMs,
}: {
  host: string;
  port: number;
  timeoutMs: number;
}): Promise<ProbeOutcome> {
  const address = hostPort(host, port);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (success: boolean, message: string) => {
      socket.destroy();
      resolve({ success, message });
    };
    socket.setTimeout(timeoutMs, () => done(false, `dial tcp ${address}: i/o timeout`));
    socket.on("connect", () => done(true, ""));
    socket.on("error", (error) => done(false, dialError(error, address)));
  });
}
