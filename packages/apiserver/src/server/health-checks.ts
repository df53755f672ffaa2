// What must hold for the apiserver to be healthy, under upstream's names.

import type { HealthCheck } from "@picokube/component-base/health-checks";
import type { Store } from "@picokube/store/store";
import type { CacheFeed } from "../storage/cache-feed.js";

/** The checks of this server; state is changed by who starts and stops it. */
export function healthChecks({
  store,
  feed,
  state,
  checkKms,
}: {
  store: Store;
  feed: CacheFeed;
  state: { readonly bootstrapped: boolean; readonly stopping: boolean };
  /** Throws when a KMS plugin is not well; undefined when nothing is encrypted. */
  checkKms: (() => void) | undefined;
}): HealthCheck[] {
  const bootstrapped = () => {
    if (!state.bootstrapped) throw new Error("not finished");
  };
  return [
    { name: "ping", check() {} },
    { name: "log", check() {} },
    {
      name: "etcd",
      async check() {
        const { fault } = await store.status();
        if (fault) throw new Error(fault);
      },
    },
    {
      name: "informer-sync",
      on: ["readyz"],
      check() {
        if (feed.fault) throw feed.fault;
      },
    },
    ...(checkKms ? [{ name: "kms-providers", check: checkKms }] : []),
    { name: "poststarthook/rbac/bootstrap-roles", check: bootstrapped },
    { name: "poststarthook/bootstrap-controller", check: bootstrapped },
    {
      name: "shutdown",
      on: ["readyz"],
      check() {
        if (state.stopping) throw new Error("process is shutting down");
      },
    },
  ];
}
