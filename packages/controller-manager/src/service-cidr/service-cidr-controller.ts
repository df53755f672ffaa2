// Holds a ServiceCIDR that is being deleted for as long as Services have addresses of it alone, and says when it is ready.
// Watches: ServiceCIDRs, IPAddresses. Writes: ServiceCIDRs' finalizer and status.

import { type IPAddress, ipaddresses, type ServiceCIDR, servicecidrs } from "@picokube/api/networking/v1";
import { formatTime } from "@picokube/api/time";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import { findCondition, withCondition } from "../conditions.js";
import type { Dependencies } from "../dependencies.js";
import { canGo, havingAddress, isAllocated, overlapping } from "./service-cidr-plan.js";

const finalizer = "networking.k8s.io/service-cidr-finalizer";
/** Until every apiserver has heard that the range gives no more addresses. */
const deletionGraceMs = 10_000;

interface Verdict {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

const ready: Verdict = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
const terminating: Verdict = {
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

/** Upstream's service-cidr-controller. */
export function serviceCidrController({ client, informers, clock, recorder: recorderOf }: Dependencies): Controller {
  const cidrInformer = informers.for(servicecidrs);
  const addressInformer = informers.for(ipaddresses);
  const recorder = recorderOf("service-cidr-controller");

  async function reconcile(name: ObjectKey): Promise<Result> {
    const cidr = cidrInformer.get(name);
    if (!cidr) return;
    const { finalizers = [], deletionTimestamp } = cidr.metadata;
    const setFinalizers = (next: string[]) =>
      client.patch(servicecidrs, { name }, { metadata: { finalizers: next } }, { type: "merge" });
    if (deletionTimestamp === undefined) {
      if (!finalizers.includes(finalizer)) await setFinalizers([...finalizers, finalizer]);
      return say(cidr, ready);
    }
    if (!finalizers.includes(finalizer)) return;
    if (!canGo(cidr, { all: cidrInformer.list(), addresses: addressInformer.list() })) return say(cidr, terminating);
    const waitMs = Date.parse(deletionTimestamp) + deletionGraceMs - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    await setFinalizers(finalizers.filter((each) => each !== finalizer));
  }

  async function say(cidr: ServiceCIDR, verdict: Verdict): Promise<void> {
    const said = findCondition(cidr.status?.conditions, "Ready");
    if (said?.status === verdict.status && said.reason === verdict.reason) return;
    const condition = { type: "Ready", ...verdict, lastTransitionTime: formatTime(clock.now()) };
    const conditions = withCondition(cidr.status?.conditions, condition);
    const { name } = cidr.metadata;
    try {
      await client.patch(servicecidrs, { name }, { status: { conditions } }, { type: "merge", subresource: "status" });
    } catch (error) {
      const message = "The ServiceCIDR Status can not be set to Ready=True";
      if (verdict.status === "True")
        recorder.record(cidr, { type: "Warning", reason: "KubernetesServiceCIDRError", message });
      throw error;
    }
  }

  // A range that comes or goes may free, or hold up, those that it overlaps.
  const ofOverlapping: WatchSource = {
    informer: cidrInformer,
    handler(enqueue) {
      const others = (cidr: ServiceCIDR) => {
        for (const { metadata } of overlapping(cidrInformer.list(), cidr)) enqueue(metadata.name);
      };
      return { add: others, update: () => {}, delete: others };
    },
  };

  const ofAddresses: WatchSource = {
    informer: addressInformer,
    handler(enqueue) {
      const holders = (address: IPAddress) => {
        if (!isAllocated(address)) return;
        // Nobody waits for addresses but who is to go.
        for (const { metadata } of havingAddress(cidrInformer.list(), address.metadata.name))
          if (metadata.deletionTimestamp) enqueue(metadata.name);
      };
      return { add: holders, update: () => {}, delete: holders };
    },
  };

  return { name: "service-cidr-controller", watches: [self(cidrInformer), ofOverlapping, ofAddresses], reconcile };
}
