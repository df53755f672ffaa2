// Load balancers on plain machines: gives Services of type LoadBalancer the nodes' addresses, or addresses of a pool, and
// says why where it cannot. kube-proxy on every node answers on them, and the kubelet of the node that is chosen for a pool's
// address tells the network where it is; nothing here touches a network.
// Watches: Services, Nodes, EndpointSlices. Writes: the Services' status.loadBalancer, announcer and cleanup finalizer.

import { isDeepStrictEqual } from "node:util";
import { type Node, nodes, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import { ifThere } from "@picokube/client/if-there";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { parseAddressPool } from "./address-pool.js";
import { announcerAnnotation, announcerOf } from "./announcer.js";
import {
  canBalance,
  changesOf,
  cleanupFinalizer,
  currentIps,
  planLoadBalancer,
  portsOf,
  portsOfCluster,
  type TakenPort,
  wantsLoadBalancer,
} from "./service-lb-plan.js";

// A name of its own: the informer is shared, and the EndpointSlice controller's index knows only its own slices.
const byService = "service-of-any-slice";
const apiServerService = "default/kubernetes";
const again: Result = { requeueAfterMs: 30_000 };

/** In the place of upstream's service-lb-controller, which asks a cloud. One worker: two would give one address twice. */
export function serviceLbController({ client, informers, options, recorder: recorderOf }: Dependencies): Controller {
  const pool = parseAddressPool(options.loadBalancerAddresses);
  const serviceInformer = informers.for(services);
  const nodeInformer = informers.for(nodes);
  const sliceInformer = informers.for(endpointslices);
  sliceInformer.addIndex(byService, (slice) => ownerOf(slice) ?? []);
  const recorder = recorderOf("service-controller");
  /** What was given lately: the informer may not have heard of it when the next Service asks. */
  const given = new Map<ObjectKey, { uid: string; ips: readonly string[]; version: string | undefined }>();

  async function reconcile(key: ObjectKey): Promise<Result> {
    const service = serviceInformer.get(key);
    if (!service) return void given.delete(key);
    const lately = given.get(key);
    // From before our own write: news of that is on the way. If it does not come, the store has gone back in time.
    if (lately?.uid === service.metadata.uid && isOlder(service, lately.version)) {
      given.set(key, { ...lately, version: undefined });
      return { requeueAfterMs: 2_000 };
    }
    if (wantsLoadBalancer(service) && !service.metadata.deletionTimestamp) return ensure(key, service);
    if (isAnothers(service) && !service.metadata.deletionTimestamp) tellOfClass(service);
    given.delete(key);
    if (service.metadata.finalizers?.includes(cleanupFinalizer)) await release(service);
  }

  async function ensure(key: ObjectKey, service: Service): Promise<Result> {
    const before = currentIps(service);
    const [allNodes, slices] = [nodeInformer.list(), sliceInformer.byIndex(byService, key)];
    const { ips, problem } = planLoadBalancer(service, { nodes: allNodes, slices, taken: takenBut(key), pool });
    const announcer = announcerOf(service, ips, { nodes: allNodes, slices, pool });
    const isMoving = announcer !== service.metadata.annotations?.[announcerAnnotation];
    const isNew = before.length === 0 && ips.length > 0;
    if (isNew) tell(service, { reason: "EnsuringLoadBalancer", message: "Ensuring load balancer" });
    const hasFinalizer = service.metadata.finalizers?.includes(cleanupFinalizer) === true;
    const isDue = !hasFinalizer || ips.join() !== before.join();
    const written = isDue || isMoving ? await write(service, { ips, announcer, hasFinalizer: true }) : service;
    given.set(key, { uid: service.metadata.uid, ips, version: written?.metadata.resourceVersion });
    if (problem !== undefined) {
      const message = `Error syncing load balancer: failed to ensure load balancer: ${problem}`;
      tell(service, { type: "Warning", reason: "SyncLoadBalancerFailed", message });
      return again;
    }
    if (ips.length === 0) {
      const message = "There are no available nodes for LoadBalancer";
      tell(service, { type: "Warning", reason: "UnAvailableLoadBalancer", message });
      return again;
    }
    // MetalLB's words.
    if (isMoving && announcer !== undefined)
      tell(service, { reason: "nodeAssigned", message: `announcing from node "${announcer}"` });
    if (isNew) tell(service, { reason: "EnsuredLoadBalancer", message: "Ensured load balancer" });
    else if (isDue) tell(service, { reason: "UpdatedLoadBalancer", message: "Updated load balancer with new hosts" });
  }

  async function release(service: Service): Promise<void> {
    tell(service, { reason: "DeletingLoadBalancer", message: "Deleting load balancer" });
    await write(service, { ips: [], announcer: undefined, hasFinalizer: false });
    tell(service, { reason: "DeletedLoadBalancer", message: "Deleted load balancer" });
  }

  // Upstream says nothing, and nobody would know why no address comes.
  function tellOfClass(service: Service): void {
    const { loadBalancerClass } = service.spec!;
    const message = `load balancer class "${loadBalancerClass}" is not served here: its own controller gives the address`;
    tell(service, { reason: "LoadBalancerClassNotServed", message });
  }

  // As upstream's PatchService: the finalizer goes by way of the status, of which alone the role speaks.
  function write(
    service: Service,
    to: { ips: readonly string[]; announcer: string | undefined; hasFinalizer: boolean },
  ): Promise<Service | undefined> {
    const { name, namespace, resourceVersion, finalizers = [] } = service.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    const ingress = to.ips.map((ip) => ({ ip, ipMode: "VIP" }));
    const patch = {
      metadata: {
        resourceVersion,
        finalizers: to.hasFinalizer ? [...others, cleanupFinalizer] : others,
        annotations: { [announcerAnnotation]: to.announcer ?? null },
      },
      status: { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } },
    };
    const where = { name, namespace: namespace! };
    return ifThere(client.patch(services, where, patch, { type: "merge", subresource: "status" }));
  }

  function takenBut(key: ObjectKey): TakenPort[] {
    const others = serviceInformer.list().filter((service) => keyOf(service) !== key);
    return [
      ...portsOfCluster(nodeInformer.list(), sliceInformer.byIndex(byService, apiServerService)),
      ...others.flatMap((service) => portsOf(service, ipsOf(service))),
    ];
  }

  function ipsOf(service: Service): readonly string[] {
    if (service.spec?.type !== "LoadBalancer") return [];
    const lately = given.get(keyOf(service));
    return lately?.uid === service.metadata.uid ? lately.ips : currentIps(service);
  }

  function tell(service: Service, words: { type?: "Warning"; reason: string; message: string }): void {
    recorder.record(service, { type: "Normal", ...words });
  }

  const waiting = () =>
    serviceInformer
      .list()
      .filter((service) => wantsLoadBalancer(service) && currentIps(service).length === 0)
      .map(keyOf);
  const all = () => serviceInformer.list().filter(wantsLoadBalancer).map(keyOf);

  const serviceWatch: WatchSource = {
    informer: serviceInformer,
    handler: (enqueue) => ({
      add: (service: Service) => {
        if (isOurs(service) || isAnothers(service)) enqueue(keyOf(service));
      },
      update: (before: Service, after: Service) => {
        for (const change of changesOf(before, after)) tell(after, change);
        if (isAnothers(after) && !isAnothers(before)) enqueue(keyOf(after));
        if (!isOurs(before) && !isOurs(after)) return;
        enqueue(keyOf(after));
        if (isDeepStrictEqual(placesOf(before), placesOf(after))) return;
        // It may have made room.
        for (const key of waiting()) enqueue(key);
      },
      delete: (service: Service) => {
        enqueue(keyOf(service));
        for (const key of waiting()) enqueue(key);
      },
    }),
  };
  const nodeWatch: WatchSource = {
    informer: nodeInformer,
    handler: (enqueue) => {
      const changed = (before: Node | undefined, after: Node | undefined) => {
        if (partOf(before) !== partOf(after)) for (const key of all()) enqueue(key);
      };
      return {
        add: (node: Node) => changed(undefined, node),
        update: changed,
        delete: (node: Node) => changed(node, undefined),
      };
    },
  };
  return {
    name: "service-lb-controller",
    watches: [
      serviceWatch,
      nodeWatch,
      mapped(sliceInformer, (slice) => {
        const key = ownerOf(slice)?.[0];
        const service = key === undefined ? undefined : serviceInformer.get(key);
        return service && wantsLoadBalancer(service) && service.spec?.externalTrafficPolicy === "Local" ? [key!] : [];
      }),
    ],
    reconcile,
  };
}

function isOurs(service: Service): boolean {
  return wantsLoadBalancer(service) || service.metadata.finalizers?.includes(cleanupFinalizer) === true;
}

// Waits for somebody else's controller.
function isAnothers(service: Service): boolean {
  const { type, loadBalancerClass } = service.spec ?? {};
  return type === "LoadBalancer" && loadBalancerClass !== undefined && currentIps(service).length === 0;
}

const placesOf = (service: Service) => portsOf(service, currentIps(service));

function isOlder({ metadata }: Service, version: string | undefined): boolean {
  return version !== undefined && BigInt(metadata.resourceVersion ?? 0) < BigInt(version);
}

// What of a node counts here: nodes report themselves often.
function partOf(node: Node | undefined): string {
  return node && canBalance(node) ? JSON.stringify(node.status?.addresses ?? []) : "";
}

function ownerOf({ metadata }: EndpointSlice): [ObjectKey] | undefined {
  const name = metadata.labels?.["kubernetes.io/service-name"];
  return name ? [`${metadata.namespace}/${name}`] : undefined;
}
