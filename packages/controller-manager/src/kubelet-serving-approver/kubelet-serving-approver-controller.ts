// Approves kubelets' requests for serving certificates that name no more than their own Node does. Upstream leaves these to
// people or add-ons, and so does this: it is off unless --controllers names it, as picokube up does. A node writes its status
// itself, so what it claims there is not enough: names of the API server and of other nodes are never approved.
// Watches: CertificateSigningRequests, Nodes. Writes: their approval.

import { type CertificateSigningRequest, certificatesigningrequests } from "@picokube/api/certificates/v1";
import { endpoints, type Node, nodes, services } from "@picokube/api/core/v1";
import { isConflict, isNotFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import type { CertificateRequest } from "@picokube/pki/certificate-request";
import { hasCondition, kubeletServingFault, requestOf } from "../certificate-requests.js";
import type { Dependencies } from "../dependencies.js";

const SIGNER = "kubernetes.io/kubelet-serving";
const PREFIX = "system:node:";
/** A node's status may follow its request. */
const RETRY_MS = 1_000;
const API_SERVER = { namespace: "default", name: "kubernetes" };
/** What every client of the API server may know it by. */
const RESERVED = /^(localhost|kubernetes)(\.|$)|^127\.|^::1$/i;

/** Our own; upstream has none. */
export function kubeletServingApproverController({ client, informers, clock, logger }: Dependencies): Controller {
  const informer = informers.for(certificatesigningrequests);
  const nodeInformer = informers.for(nodes);

  async function reconcile(name: ObjectKey): Promise<undefined | { requeueAfterMs: number }> {
    const csr = informer.get(name);
    if (!csr || csr.status?.certificate || hasCondition(csr, "Approved") || hasCondition(csr, "Denied")) return;
    if (csr.spec.signerName !== SIGNER) return;
    const { parseCertificateRequest } = await import("@picokube/pki/certificate-request");
    const request = parseCertificateRequest(requestOf(csr));
    const node = nodeInformer.get(request.commonName.slice(PREFIX.length));
    const others = nodeInformer.list().filter(({ metadata }) => metadata.uid !== node?.metadata.uid);
    const taken = [...others.flatMap(addressesOf), ...(await apiServerAddresses())];
    const fault = servingRequestFault(csr, request, { node, taken });
    if (fault !== undefined) {
      logger.v(2).info("A kubelet's serving certificate is left to a person", { csr: name, reason: fault });
      // One that its node will never name is looked at until the cleaner takes it.
      return { requeueAfterMs: RETRY_MS };
    }
    return approve(csr);
  }

  async function apiServerAddresses(): Promise<string[]> {
    const [behind, service] = await Promise.all([client.get(endpoints, API_SERVER), client.get(services, API_SERVER)]);
    const addresses = behind.subsets?.flatMap((subset) => subset.addresses ?? []) ?? [];
    return [...addresses.map(({ ip }) => ip), ...(service.spec?.clusterIPs ?? [])];
  }

  async function approve(csr: CertificateSigningRequest): Promise<undefined> {
    const message = "Auto approving kubelet serving certificate: it names its own Node alone.";
    const now = formatTime(clock.now());
    const condition = { type: "Approved", status: "True", reason: "AutoApproved", message, lastUpdateTime: now };
    const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
    try {
      await client.update(certificatesigningrequests, { ...csr, status }, { subresource: "approval" });
      logger.info("Approved a kubelet's serving certificate", { csr: csr.metadata.name, user: csr.spec.username });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  return { name: "kubelet-serving-approver-controller", watches: [self(informer)], reconcile };
}

function addressesOf({ status }: Node): string[] {
  return status?.addresses?.map(({ address }) => address) ?? [];
}

/** Why the request is not the node's own for its own names and addresses, of which none is taken by another; undefined when it is. */
export function servingRequestFault(
  { spec }: CertificateSigningRequest,
  request: CertificateRequest,
  { node, taken }: { node: Node | undefined; taken: readonly string[] },
): string | undefined {
  const fault = kubeletServingFault(request, spec.usages ?? []);
  if (fault !== undefined) return fault;
  if (spec.username !== request.commonName || !spec.groups?.includes("system:nodes"))
    return `it was made by ${spec.username}, not by the node itself`;
  if (!node) return `there is no such node`;
  const names = [...request.dnsNames, ...request.ipAddresses];
  const own = new Set(addressesOf(node));
  const foreign = names.filter((name) => !own.has(name));
  if (foreign.length > 0) return `the node's status does not name ${foreign.join(", ")}`;
  const others = new Set(taken);
  const stolen = names.filter((name) => RESERVED.test(name) || others.has(name));
  return stolen.length === 0 ? undefined : `${stolen.join(", ")} is also the API server's or another node's`;
}
