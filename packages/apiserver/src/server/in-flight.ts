// Bounds how many short requests run at once (apiserver pkg/server/filters/maxinflight.go). Long-running ones do not
// count, and members of system:masters are never turned away.

import type { UserInfo } from "../authn/authenticator.js";
import type { RequestInfo } from "../request/request-info.js";

const READING = new Set(["get", "list", "watch"]);
const LONG_RUNNING_SUBRESOURCES = new Set(["attach", "exec", "log", "portforward", "proxy"]);

export interface InFlight {
  readonly reading: number;
  readonly mutating: number;
  /** Watches and streams that are open. */
  readonly longRunning: number;
  /** Counts the request; call what it returns when it is over. Undefined when there is no place for it. */
  enter(info: RequestInfo, user: UserInfo): (() => void) | undefined;
}

/** True for watches and streams, which neither time out nor take a place of the short ones. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.isResourceRequest && (info.verb === "watch" || LONG_RUNNING_SUBRESOURCES.has(info.subresource));
}

/** 0 means no bound. */
export function createInFlight({ maxReading, maxMutating }: { maxReading: number; maxMutating: number }): InFlight {
  const counts = { reading: 0, mutating: 0, longRunning: 0 };
  return {
    get reading() {
      return counts.reading;
    },
    get mutating() {
      return counts.mutating;
    },
    get longRunning() {
      return counts.longRunning;
    },
    enter(info, user) {
      const kind = isLongRunning(info) ? "longRunning" : READING.has(info.verb) ? "reading" : "mutating";
      const max = kind === "longRunning" ? 0 : kind === "reading" ? maxReading : maxMutating;
      if (max > 0 && counts[kind] >= max && !user.groups.includes("system:masters")) return undefined;
      counts[kind]++;
      return () => {
        counts[kind]--;
      };
    },
  };
}
