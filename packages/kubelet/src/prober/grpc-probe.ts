// grpc probes: grpc.health.v1.Health/Check over plain HTTP/2, without a gRPC library.

import { connect, constants } from "node:http2";
import { formatDuration } from "@picokube/component-base/duration";
import { hostPort, type ProbeOutcome } from "./probe-outcome.js";

const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const unimplemented = "12";
const deadlineExceeded = "4";

/** A HealthCheckRequest in gRPC's framing. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, "utf8");
  const length: number[] = [];
  for (let left = name.length; ; left >>= 7) {
    if (left < 0x80) {
      length.push(left);
      break;
    }
    length.push((left & 0x7f) | 0x80);
  }
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The serving status of a HealthCheckResponse; UNKNOWN when it names none. */
export function healthStatus(body: Buffer): string {
  const message = body.subarray(5);
  return statusNames[message[0] === 0x08 ? (message[1] ?? 0) : 0] ?? "UNKNOWN";
}

/** Asks once. */
export function probeGrpc({
  host,
  port,
  service,
  timeoutMs,
}: {
  host: string;
  port: number;
  service: string;
  timeoutMs: number;
}): Promise<ProbeOutcome> {
  const address = hostPort(host, port);
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    let connected = false;
    const done = (success: boolean, message: string) => {
      clearTimeout(timer);
      session.destroy();
      resolve({ success, message });
    };
    const timer = setTimeout(() => {
      const within = formatDuration(timeoutMs);
      done(
        false,
        connected
          ? `timeout: health rpc did not complete within ${within}`
          : `timeout: failed to connect service "${address}" within ${within}`,
      );
    }, timeoutMs);
    session.on("error", (error) => done(false, `error: failed to connect service at "${address}": ${error.message}`));
    session.on("connect", () => {
      connected = true;
    });
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": "kube-probe/1.33",
      te: "trailers",
    });
    const parts: Buffer[] = [];
    let status: string | undefined;
    let words = "";
    const read = (headers: Record<string, unknown>) => {
      if (headers["grpc-status"] === undefined) return;
      status = String(headers["grpc-status"]);
      words = decodeURIComponent(String(headers["grpc-message"] ?? ""));
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("error", (error) => done(false, `error: health rpc failed: ${error.message}`));
    stream.on("end", () => {
      if (status === unimplemented) {
        done(false, `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${words}`);
      } else if (status === deadlineExceeded) {
        done(false, `timeout: health rpc did not complete within ${formatDuration(timeoutMs)}`);
      } else if (status !== undefined && status !== "0") done(false, `error: health rpc probe failed: ${words}`);
      else {
        const serving = healthStatus(Buffer.concat(parts));
        const success = serving === "SERVING";
        done(success, success ? "" : `service unhealthy (responded with "${serving}")`);
      }
    });
    stream.end(healthRequest(service));
  });
}
