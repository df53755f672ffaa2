// One `up` at a time chooses ports and address ranges: what it chose is only seen to be taken once its processes run.
// The lock is a name in the kernel, of the network namespace as the ports are, and goes with the process that holds it.

import { createServer } from "node:net";

const path = "\0picokube-up";
const periodMs = 100;

/** Resolves to the function that gives the lock back. Waits for as long as another process holds it, and says so once. */
export async function lockMachine(): Promise<() => void> {
  for (let told = false; ; told = true) {
    const release = await tryLock();
    if (release) return release;
    if (!told) console.log("Another picokube up is at work on this machine; waiting for it to end.");
    await new Promise((done) => setTimeout(done, periodMs));
  }
}

function tryLock(): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      server.unref();
      resolve(() => void server.close());
    });
  });
}
