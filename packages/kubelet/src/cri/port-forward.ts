// A byte stream into a pod: a relay process enters the sandbox's network namespace, connects to a port on its
// loopback, and carries bytes between the connection and its own stdin and stdout. Serves any runtime with processes.

import { spawn } from "node:child_process";
import { Duplex } from "node:stream";

// Half-closing is kept: the end of stdin ends the connection's writing side, and the other way round.
const relayProgram = `
const { connect } = require("node:net");
const port = Number(process.argv[1]);
const dial = (hosts) => {
  const socket = connect({ host: hosts[0], port, allowHalfOpen: true });
  socket.once("connect", () => {
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
    socket.on("error", () => process.exit(1));
    socket.on("close", () => process.exit(0));
  });
  socket.once("error", (error) => {
    if (socket.readyState === "open") return;
    if (hosts.length > 1) return dial(hosts.slice(1));
    process.stderr.write(error.message);
    process.exit(1);
  });
};
dial(["127.0.0.1", "::1"]);
`;

/** Connects to a port on the loopback of the network namespace that the process lives in. */
export function connectInNamespace({ pid, port }: { pid: number; port: number }): Duplex {
  const argv = [`--net=/proc/${pid}/ns/net`, process.execPath, "-e", relayProgram, String(port)];
  const relay = spawn("nsenter", argv, { stdio: ["pipe", "pipe", "pipe"] });
  const stream = Duplex.from({ readable: relay.stdout, writable: relay.stdin });
  const words: Buffer[] = [];
  relay.stderr.on("data", (chunk: Buffer) => words.push(chunk));
  relay.on("error", (error) => stream.destroy(new Error("nsenter could not be started", { cause: error })));
  relay.on("close", (code) => {
    if (code) stream.destroy(new Error(Buffer.concat(words).toString().trim() || `port-forward relay exited ${code}`));
  });
  stream.on("close", () => relay.kill("SIGKILL"));
  return stream;
}
