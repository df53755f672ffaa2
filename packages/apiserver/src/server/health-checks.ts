// What must hold for the apiserver to be healthy, under upstream's names.

import type { Store } from "@picokube/store/store";
import type { CacheFeed } from "../storage/cache-feed.js";
import type { HealthCheck } from "./health.js";

const ALL = ["healthz", "livez", "readyz"];

/** The checks of this server; state is changed by who starts and stops it. */
export function healthChecks({
  store,
  feed,
  state,
}: {
  store: Store;
  feed: CacheFeed;
  state: { readonly bootstrapped: boolean; readonly stopping: boolean };
}): HealthCheck[] {
  const bootstrapped = () => {
    if (!state.bootstrapped) throw new Error("not finished");
  };
  return [
    { name: "ping", endpoints: ALL, check() {} },
    { name: "log", endpoints: ALL, check() {} },
    {
      name: "etcd",
      endpoints: ALL,
      async check() {
        const { fault } = await store.status();
        if (fault) throw new Error(fault);
      },
    },
    {
      name: "informer-sync",
      endpoints: ["readyz"],
      check() {
        if (feed.fault) throw feed.fault;
      },
    },
    { name: "poststarthook/rbac/bootstrap-roles", endpoints: ALL, check: bootstrapped },
    { name: "poststarthook/bootstrap-controller", endpoints: ALL, check: bootstrapped },
    {
      name: "shutdown",
      endpoints: ["readyz"],
      check() {
        if (state.stopping) throw new Error("process is shutting down");
      },
    },
  ];
}
