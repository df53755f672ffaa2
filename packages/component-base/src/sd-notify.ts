// Tells systemd how the unit fares. Does nothing outside a unit of Type=notify.

import { execFile } from "node:child_process";

/** "ready" or "stopping"; through systemd-notify, for Node.js has no datagram sockets of the file system. */
export function sdNotify(state: "ready" | "stopping"): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return Promise.resolve();
  const assignment = state === "ready" ? "READY=1" : "STOPPING=1";
  return new Promise((resolve) => {
    // A missing systemd-notify must not stop the component: the unit's own timeout tells of it.
    execFile("systemd-notify", [`--pid=${process.pid}`, assignment], () => resolve());
  });
}
