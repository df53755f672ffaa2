// What runs on the three nodes of real-timers.test.ts: nothing in it says a word about time, so that all defaults hold.

import type { LocalVms } from "../harness/local-vms.js";
import { prefersNode3 } from "../harness/workloads.js";

/** A pod that sleeps on that node; its Service is the name below which DNS knows it. */
const sleeper = (name: string, node: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "100000"] }]
---`;

const template = (app: string, container: string, more = "") => `
  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app} } }
    spec:
      terminationGracePeriodSeconds: 1${more}
      containers: [{ name: ${app}, imagePullPolicy: IfNotPresent, ${container} }]
---`;

const sleeps = 'image: busybox, command: [sleep, "100000"]';

/** web on all nodes behind a Service, db-0 on node-3, agent on every node, two pods that ask and are killed. */
export const workloads = ({ cluster }: LocalVms) => `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 6${template("web", "image: nginx")}
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:${template("agent", sleeps)}
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  podManagementPolicy: Parallel${template("db", sleeps, prefersNode3)}
${sleeper("asker", "node-2")}
${sleeper("dies-here", cluster.nodeName)}
${sleeper("dies-there", "node-2")}
`;
