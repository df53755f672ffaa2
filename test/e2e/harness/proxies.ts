// Whether every node's kube-proxy knows what the API says: what stories that count lost requests wait for before they count.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import type { LocalVms } from "./local-vms.js";
import { isReady, podsOf } from "./pod-rows.js";

const execute = promisify(execFile);

/** Makes a Service before the pods of that app and waits until it answers on the node, by its own rules. */
export async function leadsNewService(
  { cluster, kubectl, inVm }: LocalVms,
  { node, name, app, timeoutMs }: { node: string; name: string; app: string; timeoutMs: number },
): Promise<void> {
  await kubectl.apply(`
apiVersion: v1
kind: Service
metadata: { name: ${name}, labels: { made: for-proxies } }
spec: { selector: { app: ${app} }, ports: [{ port: 80 }] }
`);
  const { clusterIP } = (await kubectl.json(["get", "service", name])).spec;
  const words = ["-sSf", "--max-time", "5", `http://${clusterIP}/`];
  const ask = async (): Promise<unknown> =>
    node === cluster.nodeName ? execute("curl", words) : inVm(node, "curl", ...words);
  await eventually(`${name} answers on ${node}`, ask, timeoutMs);
}

/** Waits until the Service of that app leads to its ready pods and to nothing else, on every node. */
export async function leadsToPodsAlone(vms: LocalVms, app: string, timeoutMs: number): Promise<void> {
  const { kubectl, engines } = vms;
  const check = async () => {
    const pods = await podsOf(kubectl, app);
    const { items } = await kubectl.json(["get", "endpointslices", "-l", `kubernetes.io/service-name=${app}`]);
    const endpoints: { addresses: string[]; conditions: { ready: boolean } }[] = items.flatMap(
      (slice: { endpoints?: object[] }) => slice.endpoints ?? [],
    );
    const listed = endpoints.filter(({ conditions }) => conditions.ready).map(({ addresses }) => addresses[0]);
    return (
      pods.every((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined) &&
      endpoints.length === pods.length &&
      pods.every(({ status }) => listed.includes(status.podIP))
    );
  };
  await eventually(`the endpoints of ${app} are its pods`, check, timeoutMs);
  // News come in order: who knows of this one knows of those.
  const name = `${app}-${Date.now()}`;
  for (const node of Object.keys(engines())) await leadsNewService(vms, { node, name, app, timeoutMs });
  await kubectl.run(["delete", "service", name]);
}
