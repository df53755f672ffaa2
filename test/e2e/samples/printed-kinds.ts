// One object of every built-in listable kind, and how upstream prints it. Only data: the columns are those of
// pkg/printers/internalversion/printers.go at 1.33 (of apiextensions-apiserver and kube-aggregator for their own kinds).

/** A kind's printed form. */
export interface PrintedKind {
  /** As kubectl takes it. */
  readonly resource: string;
  /** What is created; left out for what cannot be. */
  readonly object?: { readonly [field: string]: unknown; readonly metadata: { readonly name: string } };
  /** Written through /status. */
  readonly status?: object;
  /** "Name" or "Name:type" in upstream's order; a star marks what only -o wide shows. */
  readonly columns: string;
  /** Of all columns in that order; "AGE" stands for any age, "DATE" for any time; left out where there is no object. */
  readonly cells?: readonly string[];
}

const metadata = (name: string, more: object = {}) => ({ name, ...more });
const container = { name: "web", image: "nginx:1" };
const selector = { matchLabels: { app: "web" } };
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [container] } };
const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
const rbac = "rbac.authorization.k8s.io";
const subjects = [
  { kind: "User", name: "jane", apiGroup: rbac },
  { kind: "User", name: "joe", apiGroup: rbac },
  { kind: "Group", name: "dev", apiGroup: rbac },
  { kind: "ServiceAccount", name: "default", namespace: "default" },
];
const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const webhooks = [
  {
    name: "a.example.com",
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    clientConfig: { url: "https://127.0.0.1:1/" },
    failurePolicy: "Ignore",
    namespaceSelector: { matchLabels: { nowhere: "true" } },
    rules: [{ apiGroups: ["example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] }],
  },
];

/** Every built-in kind that can be listed. */
export const printedKinds: readonly PrintedKind[] = [
  {
    resource: "pods",
    object: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: metadata("sample"),
      spec: {
        nodeName: "node-1",
        containers: [container, { name: "side", image: "busybox" }],
        readinessGates: [{ conditionType: "example.com/ready" }],
      },
    },
    status: {
      phase: "Running",
      podIP: "10.244.0.9",
      podIPs: [{ ip: "10.244.0.9" }],
      containerStatuses: [
        {
          name: "web",
          image: "nginx:1",
          imageID: "",
          ready: true,
          restartCount: 2,
          state: { running: { startedAt: "2024-01-01T00:00:00Z" } },
        },
        {
          name: "side",
          image: "busybox",
          imageID: "",
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: "ImagePullBackOff" } },
        },
      ],
    },
    columns: "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*",
    cells: ["sample", "1/2", "ImagePullBackOff", "2", "AGE", "10.244.0.9", "node-1", "<none>", "0/1"],
  },
  {
    resource: "podtemplates",
    object: { apiVersion: "v1", kind: "PodTemplate", metadata: metadata("sample"), template },
    columns: "Name, Containers, Images, Pod Labels",
    cells: ["sample", "web", "nginx:1", "app=web"],
  },
  {
    resource: "replicationcontrollers",
    object: {
      apiVersion: "v1",
      kind: "ReplicationController",
      metadata: metadata("sample"),
      spec: { replicas: 3, selector: { app: "web" }, template },
    },
    status: { replicas: 2, readyReplicas: 1, fullyLabeledReplicas: 2 },
    columns: "Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*",
    cells: ["sample", "3", "2", "1", "AGE", "web", "nginx:1", "app=web"],
  },
  {
    resource: "services",
    object: {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata("sample"),
      spec: {
        type: "LoadBalancer",
        clusterIP: "10.96.0.55",
        externalIPs: ["192.0.2.9"],
        selector: { b: "2", a: "1" },
        ports: [
          { name: "http", port: 80, nodePort: 30080 },
          { name: "dns", port: 53, nodePort: 30053, protocol: "UDP" },
        ],
      },
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } },
    columns: "Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*",
    cells: [
      "sample",
      "LoadBalancer",
      "10.96.0.55",
      "192.0.2.1,192.0.2.9",
      "80:30080/TCP,53:30053/UDP",
      "AGE",
      "a=1,b=2",
    ],
  },
  {
    resource: "endpoints",
    object: {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: metadata("sample"),
      subsets: [
        {
          addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }],
          ports: [
            { name: "a", port: 80 },
            { name: "b", port: 81 },
          ],
        },
      ],
    },
    columns: "Name, Endpoints, Age",
    cells: ["sample", "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...", "AGE"],
  },
  {
    resource: "nodes",
    object: {
      apiVersion: "v1",
      kind: "Node",
      metadata: metadata("sample", {
        labels: { "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "db" },
      }),
      spec: { unschedulable: true },
    },
    status: {
      addresses: [{ type: "InternalIP", address: "192.0.2.2" }],
      conditions: [{ type: "Ready", status: "True" }],
      nodeInfo: {
        kubeletVersion: "v1.33.0",
        osImage: "Debian GNU/Linux 12",
        kernelVersion: "6.1.0",
        containerRuntimeVersion: "docker://20.10",
        machineID: "",
        systemUUID: "",
        bootID: "",
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: "amd64",
      },
    },
    columns:
      "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*",
    cells: [
      "sample",
      "Ready,SchedulingDisabled",
      "control-plane,db",
      "AGE",
      "v1.33.0",
      "192.0.2.2",
      "<none>",
      "Debian GNU/Linux 12",
      "6.1.0",
      "docker://20.10",
    ],
  },
  {
    resource: "namespaces",
    object: { apiVersion: "v1", kind: "Namespace", metadata: metadata("sample") },
    columns: "Name, Status, Age",
    cells: ["sample", "Active", "AGE"],
  },
  {
    resource: "configmaps",
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata("sample"),
      data: { a: "b" },
      binaryData: { c: "ZA==" },
    },
    columns: "Name, Data, Age",
    cells: ["sample", "2", "AGE"],
  },
  {
    resource: "secrets",
    object: { apiVersion: "v1", kind: "Secret", metadata: metadata("sample"), stringData: { a: "b" } },
    columns: "Name, Type, Data, Age",
    cells: ["sample", "Opaque", "1", "AGE"],
  },
  {
    resource: "serviceaccounts",
    object: { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata("sample"), secrets: [{ name: "s" }] },
    columns: "Name, Secrets, Age",
    cells: ["sample", "1", "AGE"],
  },
  {
    resource: "events",
    object: {
      apiVersion: "v1",
      kind: "Event",
      metadata: metadata("sample"),
      involvedObject: { kind: "Pod", namespace: "default", name: "web", fieldPath: "spec.containers{web}" },
      reason: "Started",
      message: "Started container",
      type: "Normal",
      count: 3,
      firstTimestamp: "2024-01-01T00:00:00Z",
      lastTimestamp: "2024-01-01T00:00:00Z",
      source: { component: "kubelet", host: "node-1" },
    },
    columns: "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*",
    cells: [
      "AGE",
      "Normal",
      "Started",
      "pod/web",
      "spec.containers{web}",
      "kubelet, node-1",
      "Started container",
      "AGE",
      "3",
      "sample",
    ],
  },
  {
    resource: "events.events.k8s.io",
    object: {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: metadata("sample-new"),
      regarding: { kind: "Node", namespace: "default", name: "node-1" },
      reason: "Ready",
      note: "It is ready",
      type: "Warning",
      action: "Watching",
      eventTime: "2024-01-01T00:00:00.000000Z",
      reportingController: "example.com/controller",
      reportingInstance: "one",
    },
    columns: "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*",
    cells: [
      "AGE",
      "Warning",
      "Ready",
      "node/node-1",
      "",
      "example.com/controller, one",
      "It is ready",
      "AGE",
      "1",
      "sample-new",
    ],
  },
  {
    resource: "persistentvolumes",
    object: {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: metadata("sample"),
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce", "ReadOnlyMany"],
        storageClassName: "slow",
        hostPath: { path: "/x" },
        claimRef: { namespace: "default", name: "sample" },
      },
    },
    status: { phase: "Bound" },
    columns:
      "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, VolumeMode*",
    cells: [
      "sample",
      "1Gi",
      "RWO,ROX",
      "Retain",
      "Bound",
      "default/sample",
      "slow",
      "<unset>",
      "",
      "AGE",
      "Filesystem",
    ],
  },
  {
    resource: "persistentvolumeclaims",
    object: {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: metadata("sample"),
      spec: { ...claimSpec, storageClassName: "slow", volumeName: "sample" },
    },
    status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } },
    columns: "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*",
    cells: ["sample", "Bound", "sample", "1Gi", "RWO", "slow", "<unset>", "AGE", "Filesystem"],
  },
  {
    resource: "resourcequotas",
    object: {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: metadata("sample"),
      spec: { hard: { "count/widgets.example.com": "10", "limits.cpu": "40" } },
    },
    status: {
      hard: { "count/widgets.example.com": "10", "limits.cpu": "40" },
      used: { "count/widgets.example.com": "1", "limits.cpu": "500m" },
    },
    columns: "Name, Request, Limit, Age",
    cells: ["sample", "count/widgets.example.com: 1/10", "limits.cpu: 500m/40", "AGE"],
  },
  {
    resource: "limitranges",
    object: {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: metadata("sample"),
      spec: { limits: [{ type: "PersistentVolumeClaim", max: { storage: "1Ti" } }] },
    },
    columns: "Name, Created At:date",
    cells: ["sample", "DATE"],
  },
  {
    resource: "componentstatuses",
    columns: "Name, Status, Message, Error",
  },
  {
    resource: "deployments.apps",
    object: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata("sample"),
      spec: { replicas: 3, selector, template },
    },
    status: { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
    columns: "Name, Ready, Up-to-date, Available, Age, Containers*, Images*, Selector*",
    cells: ["sample", "2/3", "3", "1", "AGE", "web", "nginx:1", "app=web"],
  },
  {
    resource: "replicasets.apps",
    object: {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: metadata("sample"),
      spec: { replicas: 3, selector, template },
    },
    status: { replicas: 3, readyReplicas: 2 },
    columns: "Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*",
    cells: ["sample", "3", "3", "2", "AGE", "web", "nginx:1", "app=web"],
  },
  {
    resource: "statefulsets.apps",
    object: {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: metadata("sample"),
      spec: { replicas: 3, selector, template, serviceName: "web" },
    },
    status: { replicas: 3, readyReplicas: 2 },
    columns: "Name, Ready, Age, Containers*, Images*",
    cells: ["sample", "2/3", "AGE", "web", "nginx:1"],
  },
  {
    resource: "daemonsets.apps",
    object: {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: metadata("sample"),
      spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { disk: "ssd" } } } },
    },
    status: {
      desiredNumberScheduled: 5,
      currentNumberScheduled: 4,
      numberReady: 3,
      updatedNumberScheduled: 2,
      numberAvailable: 1,
      numberMisscheduled: 0,
    },
    columns:
      "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, Age, Containers*, Images*, Selector*",
    cells: ["sample", "5", "4", "3", "2", "1", "disk=ssd", "AGE", "web", "nginx:1", "app=web"],
  },
  {
    resource: "controllerrevisions.apps",
    object: {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: metadata("sample"),
      revision: 7,
      data: { a: 1 },
    },
    columns: "Name, Controller, Revision, Age",
    cells: ["sample", "<none>", "7", "AGE"],
  },
  {
    resource: "jobs.batch",
    object: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata("sample"),
      spec: { completions: 2, suspend: true, manualSelector: true, selector, template: jobTemplate },
    },
    status: { conditions: [{ type: "Suspended", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }] },
    columns: "Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*",
    cells: ["sample", "Suspended", "0/2", "", "AGE", "web", "nginx:1", "app=web"],
  },
  {
    resource: "cronjobs.batch",
    object: {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: metadata("sample"),
      spec: {
        schedule: "*/5 * * * *",
        timeZone: "UTC",
        suspend: true,
        jobTemplate: { spec: { template: jobTemplate } },
      },
    },
    columns:
      "Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, Containers*, Images*, Selector*",
    cells: ["sample", "*/5 * * * *", "UTC", "True", "0", "<none>", "AGE", "web", "nginx:1", "<none>"],
  },
  {
    resource: "horizontalpodautoscalers.autoscaling",
    object: {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: metadata("sample"),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 2,
        maxReplicas: 9,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    },
    columns: "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age",
    cells: ["sample", "Deployment/web", "cpu: <unknown>/80%", "2", "9", "0", "AGE"],
  },
  {
    resource: "ingresses.networking.k8s.io",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: metadata("sample"),
      spec: {
        ingressClassName: "nginx",
        tls: [{ hosts: ["a.example.com"] }],
        rules: ["a", "b", "c", "d"].map((host) => ({
          host: `${host}.example.com`,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
          },
        })),
      },
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } },
    columns: "Name, Class, Hosts, Address, Ports, Age",
    cells: ["sample", "nginx", "a.example.com,b.example.com,c.example.com + 1 more...", "192.0.2.7", "80, 443", "AGE"],
  },
  {
    resource: "ingressclasses.networking.k8s.io",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: metadata("sample"),
      spec: { controller: "example.com/c", parameters: { apiGroup: "k8s.example.com", kind: "P", name: "p" } },
    },
    columns: "Name, Controller, Parameters, Age",
    cells: ["sample", "example.com/c", "P.k8s.example.com/p", "AGE"],
  },
  {
    resource: "networkpolicies.networking.k8s.io",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadata("sample"),
      spec: {
        podSelector: {
          matchLabels: { app: "web" },
          matchExpressions: [{ key: "a", operator: "In", values: ["c", "b"] }],
        },
      },
    },
    columns: "Name, Pod-Selector, Age",
    cells: ["sample", "a in (b,c),app=web", "AGE"],
  },
  {
    resource: "ipaddresses.networking.k8s.io",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: metadata("10.96.0.77"),
      spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "web" } },
    },
    columns: "Name, ParentRef",
    cells: ["10.96.0.77", "services/default/web"],
  },
  {
    resource: "servicecidrs.networking.k8s.io",
    object: {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: metadata("sample"),
      spec: { cidrs: ["10.200.0.0/16", "2001:db8::/112"] },
    },
    columns: "Name, CIDRs, Age",
    cells: ["sample", "10.200.0.0/16,2001:db8::/112", "AGE"],
  },
  {
    resource: "poddisruptionbudgets.policy",
    object: {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata("sample"),
      spec: { minAvailable: "50%", selector },
    },
    columns: "Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age",
    cells: ["sample", "50%", "N/A", "0", "AGE"],
  },
  {
    resource: "roles.rbac.authorization.k8s.io",
    object: { apiVersion: `${rbac}/v1`, kind: "Role", metadata: metadata("sample"), rules },
    columns: "Name, Created At:date",
    cells: ["sample", "DATE"],
  },
  {
    resource: "clusterroles.rbac.authorization.k8s.io",
    object: { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: metadata("sample"), rules },
    columns: "Name, Created At:date",
    cells: ["sample", "DATE"],
  },
  {
    resource: "rolebindings.rbac.authorization.k8s.io",
    object: {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: metadata("sample"),
      roleRef: { apiGroup: rbac, kind: "Role", name: "sample" },
      subjects,
    },
    columns: "Name, Role, Age, Users*, Groups*, ServiceAccounts*",
    cells: ["sample", "Role/sample", "AGE", "jane, joe", "dev", "default/default"],
  },
  {
    resource: "clusterrolebindings.rbac.authorization.k8s.io",
    object: {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: metadata("sample"),
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "sample" },
      subjects,
    },
    columns: "Name, Role, Age, Users*, Groups*, ServiceAccounts*",
    cells: ["sample", "ClusterRole/sample", "AGE", "jane, joe", "dev", "default/default"],
  },
  {
    resource: "storageclasses.storage.k8s.io",
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: metadata("sample", { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }),
      provisioner: "example.com/p",
    },
    columns: "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
    cells: ["sample (default)", "example.com/p", "Delete", "Immediate", "false", "AGE"],
  },
  {
    resource: "volumeattachments.storage.k8s.io",
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "VolumeAttachment",
      metadata: metadata("sample"),
      spec: { attacher: "example.com", nodeName: "node-1", source: { persistentVolumeName: "sample" } },
    },
    columns: "Name, Attacher, PV, Node, Attached:boolean, Age",
    cells: ["sample", "example.com", "sample", "node-1", "false", "AGE"],
  },
  {
    resource: "csidrivers.storage.k8s.io",
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSIDriver",
      metadata: metadata("sample"),
      spec: { attachRequired: false },
    },
    columns:
      "Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests, RequiresRepublish:boolean, Modes, Age",
    cells: ["sample", "false", "false", "false", "<unset>", "false", "Persistent", "AGE"],
  },
  {
    resource: "csinodes.storage.k8s.io",
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSINode",
      metadata: metadata("sample"),
      spec: { drivers: [{ name: "d.example.com", nodeID: "n", topologyKeys: [] }] },
    },
    columns: "Name, Drivers:integer, Age",
    cells: ["sample", "1", "AGE"],
  },
  {
    resource: "csistoragecapacities.storage.k8s.io",
    object: {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSIStorageCapacity",
      metadata: metadata("sample"),
      storageClassName: "slow",
      capacity: "5Gi",
    },
    columns: "Name, StorageClassName, Capacity",
    cells: ["sample", "slow", "5Gi"],
  },
  {
    resource: "priorityclasses.scheduling.k8s.io",
    object: { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: metadata("sample"), value: 7 },
    columns: "Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy",
    cells: ["sample", "7", "false", "AGE", "PreemptLowerPriority"],
  },
  {
    resource: "leases.coordination.k8s.io",
    object: {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: metadata("sample"),
      spec: { holderIdentity: "me", leaseDurationSeconds: 15 },
    },
    columns: "Name, Holder, Age",
    cells: ["sample", "me", "AGE"],
  },
  {
    resource: "endpointslices.discovery.k8s.io",
    object: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: metadata("sample"),
      addressType: "IPv4",
      ports: [
        { name: "http", port: 80 },
        { name: "b", port: 81 },
        { name: "c", port: 82 },
        { name: "d", port: 83 },
      ],
      endpoints: ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map((address) => ({ addresses: [address] })),
    },
    columns: "Name, AddressType, Ports, Endpoints, Age",
    cells: ["sample", "IPv4", "80,81,82 + 1 more...", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", "AGE"],
  },
  {
    resource: "certificatesigningrequests.certificates.k8s.io",
    object: {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: metadata("sample"),
      spec: {
        signerName: "example.com/signer",
        usages: ["client auth"],
        expirationSeconds: 7200,
        request:
          "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIS01IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RWFtRnVaVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkdvWkhKK2JXQzd1R2JuYTBPYW9Hc1FiS1VkckMva2w4S2cyOEozdzhKZEZ6WDFlU3dTWkRSdlV0LzBnCnBGSzFSTlZlNHIyMVdYLzhLOEZLcng3MVY1cWdBREFLQmdncWhrak9QUVFEQWdOSkFEQkdBaUVBMUludEtQTmMKMGs4K2IzSndTb1lGZ3h2elFyQmpySUNTUUZaZ1hoRXBlWndDSVFDNVVvaWhoSCtlMkJwUWkyZXBDZFl3TTNMUApqMnJFVnNVcE1PcFdtZVVlc3c9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K",
      },
    },
    columns: "Name, Age, SignerName, Requestor, RequestedDuration, Condition",
    cells: ["sample", "AGE", "example.com/signer", "kubernetes-admin", "120m", "Pending"],
  },
  {
    resource: "runtimeclasses.node.k8s.io",
    object: { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: metadata("sample"), handler: "runc" },
    columns: "Name, Handler, Age",
    cells: ["sample", "runc", "AGE"],
  },
  {
    resource: "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    object: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: metadata("sample"),
      webhooks,
    },
    columns: "Name, Webhooks:integer, Age",
    cells: ["sample", "1", "AGE"],
  },
  {
    resource: "validatingwebhookconfigurations.admissionregistration.k8s.io",
    object: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: metadata("sample"),
      webhooks,
    },
    columns: "Name, Webhooks:integer, Age",
    cells: ["sample", "1", "AGE"],
  },
  {
    resource: "validatingadmissionpolicies.admissionregistration.k8s.io",
    object: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: metadata("sample"),
      spec: {
        paramKind: { apiVersion: "example.com/v1", kind: "Limit" },
        matchConstraints: {
          resourceRules: [
            { apiGroups: ["example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] },
          ],
        },
        validations: [{ expression: "true" }],
      },
    },
    columns: "Name, Validations:integer, ParamKind, Age",
    cells: ["sample", "1", "example.com/v1/Limit", "AGE"],
  },
  {
    resource: "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    object: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: metadata("sample"),
      spec: { policyName: "sample", validationActions: ["Audit"] },
    },
    columns: "Name, PolicyName, ParamRef, Age",
    cells: ["sample", "sample", "<unset>", "AGE"],
  },
  {
    resource: "customresourcedefinitions.apiextensions.k8s.io",
    object: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: metadata("things.example.com"),
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    },
    columns: "Name, Created At:date",
    cells: ["things.example.com", "DATE"],
  },
  {
    resource: "apiservices.apiregistration.k8s.io",
    object: {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: metadata("v1.sample.example.com"),
      spec: {
        group: "sample.example.com",
        version: "v1",
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        service: { namespace: "default", name: "web" },
      },
    },
    status: { conditions: [{ type: "Available", status: "False", reason: "ServiceNotFound" }] },
    columns: "Name, Service, Available, Age",
    cells: ["v1.sample.example.com", "default/web", "False (ServiceNotFound)", "AGE"],
  },
  {
    resource: "flowschemas.flowcontrol.apiserver.k8s.io",
    object: {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "FlowSchema",
      metadata: metadata("sample"),
      spec: {
        priorityLevelConfiguration: { name: "workload-low" },
        matchingPrecedence: 500,
        distinguisherMethod: { type: "ByUser" },
      },
    },
    columns: "Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL",
    cells: ["sample", "workload-low", "500", "ByUser", "AGE", "False"],
  },
  {
    resource: "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    object: {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "PriorityLevelConfiguration",
      metadata: metadata("sample"),
      spec: { type: "Limited", limited: { nominalConcurrencyShares: 5, limitResponse: { type: "Reject" } } },
    },
    columns: "Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age",
    cells: ["sample", "Limited", "5", "<none>", "<none>", "<none>", "AGE"],
  },
];
