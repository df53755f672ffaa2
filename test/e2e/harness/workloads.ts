// Workloads of stories in which one of three nodes is lost: nginx behind a Service, and lines for a pod's spec.

/** A lost node is emptied within seconds. */
export const shortTolerations = `
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }`;

/** The pod would like to be on node-3. */
export const prefersNode3 = `
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: { matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node-3] }] }`;

/** Six nginx, which soon leave a lost node, and their Service. */
export const web = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 6
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1${shortTolerations}
      containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent }]
---`;
