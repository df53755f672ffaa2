// What runs spread over three nodes: nginx everywhere, postgres on node-3 with a disk of that node, and a pod on each node that
// nothing evicts.

import type { LocalVms } from "../harness/local-vms.js";
import { prefersNode3, shortTolerations, web } from "../harness/workloads.js";

export const workloads = `${web}
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 5432 }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: stays }
spec:
  selector: { matchLabels: { app: stays } }
  template:
    metadata: { labels: { app: stays } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: main, image: nginx, imagePullPolicy: IfNotPresent }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:${prefersNode3}${shortTolerations}
      containers:
      - name: postgres
        image: postgres
        imagePullPolicy: IfNotPresent
        env:
        - { name: POSTGRES_PASSWORD, value: secret }
        - { name: PGPASSWORD, value: secret }
        - { name: PGDATA, value: /var/lib/postgresql/data/pgdata }
        readinessProbe: { exec: { command: [pg_isready, -h, 127.0.0.1, -U, postgres] }, periodSeconds: 1 }
        volumeMounts: [{ name: data, mountPath: /var/lib/postgresql/data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`;

/** What psql prints for the statement, in db-0 itself. */
export const sql = ({ kubectl }: Pick<LocalVms, "kubectl">, statement: string) =>
  kubectl.run(["exec", "db-0", "--", "psql", "-h", "127.0.0.1", "-U", "postgres", "-qAtc", statement]);

/** Every row that was acknowledged. */
export const rows = (vms: Pick<LocalVms, "kubectl">) =>
  sql(vms, "select count(*), sum(id), md5(string_agg(text, ',' order by id)) from notes");
