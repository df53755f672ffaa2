// Pods that say on request by what address they are asked, one on each of three nodes. Stories after pod-network.ts use them.

import type { LocalVms } from "../harness/local-vms.js";
import { podsOf } from "../harness/pod-rows.js";

/** Where each stands. */
export const netNodesOf = ({ cluster }: LocalVms) => ({
  "net-a": cluster.nodeName,
  "net-b": "node-2",
  "net-c": "node-3",
});

const netPod = (name: string, node: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: net } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command:
    - sh
    - -c
    - |
      mkdir -p /www/cgi-bin
      printf '#!/bin/sh\\necho\\necho $REMOTE_ADDR\\n' > /www/cgi-bin/who
      chmod +x /www/cgi-bin/who
      echo serving
      exec httpd -f -p 80 -h /www
---`;

/** A pod of that name on each of these nodes, and the Service net before them. */
export const netPods = (places: Readonly<Record<string, string>>) => `
apiVersion: v1
kind: Service
metadata: { name: net }
spec: { selector: { app: net }, ports: [{ port: 80 }] }
---
${Object.entries(places)
  .map(([name, node]) => netPod(name, node))
  .join("\n")}`;

/** By pod's name. */
export async function netAddresses({ kubectl }: Pick<LocalVms, "kubectl">): Promise<Record<string, string>> {
  const pods = await podsOf(kubectl, "net");
  return Object.fromEntries(pods.map(({ metadata, status }) => [metadata.name, status.podIP!]));
}

/** httpd writes "[::ffff:10.244.1.2]". */
export const addressIn = (text: string) => /\d+\.\d+\.\d+\.\d+/.exec(text)?.[0];
