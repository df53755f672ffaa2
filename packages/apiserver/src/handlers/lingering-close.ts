// How a connection is given up whose client is still sending: the answer must arrive all the same.

import type { Socket } from "node:net";

/** How long a client may go on sending into a connection that is being closed (net/http: rstAvoidanceDelay). */
const RST_AVOIDANCE_MS = 500;

/**
 * Has the answer that is the connection's last followed by a lingering close, when Node.js's server comes to close it.
 */
export function closeLingering(socket: Socket): void {
  socket.destroySoon = () => endLingering(socket);
}

/**
 * Ends the socket, after some last bytes, and throws away for a moment what still comes in (net/http:
 * closeWriteAndWait). A socket closed on unread bytes is reset by the kernel, and the reset overtakes the answer: the
 * client would see EPIPE instead of its 413.
 */
export function endLingering(socket: Socket, lastBytes = ""): void {
  socket.end(lastBytes);
  socket.resume();
  const late = setTimeout(() => socket.destroy(), RST_AVOIDANCE_MS);
  socket.once("close", () => clearTimeout(late));
}
