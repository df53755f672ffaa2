// Which components ComponentStatuses tell of and how they are asked (upstream: core/rest serversToValidate). The control
// plane's daemons are looked for on this host, as upstream does.

import { request } from "node:https";
import type { Store } from "@picokube/store/store";
import type { ComponentCheck } from "../registry/core/component-status.js";

const TIMEOUT_MS = 20_000;

/** The checks of the scheduler, the controller manager and the store. */
export function componentChecks({
  schedulerPort,
  controllerManagerPort,
  store,
}: {
  schedulerPort: number;
  controllerManagerPort: number;
  store: Store;
}): ComponentCheck[] {
  return [
    { name: "controller-manager", check: () => askHealthz(controllerManagerPort) },
    { name: "scheduler", check: () => askHealthz(schedulerPort) },
    {
      name: "etcd-0",
      async check() {
        const { fault } = await store.status();
        if (fault) throw new Error(fault);
        return "ok";
      },
    },
  ];
}

/** Rejects in Go's words. */
function askHealthz(port: number): Promise<string> {
  const address = `127.0.0.1:${port}`;
  const url = `https://${address}/healthz`;
  return new Promise((resolve, reject) => {
    // Nothing secret is sent, and the daemons may have signed their certificates themselves (upstream: InsecureSkipVerify).
    const asked = request(url, { rejectUnauthorized: false, timeout: TIMEOUT_MS, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 400) resolve(text);
        else reject(new Error(`HTTP probe failed with statuscode: ${statusCode}`));
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("context deadline exceeded")));
    asked.on("error", (error: Error & { code?: string }) => {
      const why = error.code === "ECONNREFUSED" ? `dial tcp ${address}: connect: connection refused` : error.message;
      reject(new Error(`Get "${url}": ${why}`, { cause: error }));
    });
    asked.end();
  });
}
