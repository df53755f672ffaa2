// One object of each kind that uses most of its fields, for tests that damage them. Only data.

const selector = { matchLabels: { app: "web" }, matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] };
const podTerm = { labelSelector: selector, namespaceSelector: selector, topologyKey: "zone" };
const nodeTerm = {
  matchExpressions: [{ key: "a", operator: "In", values: ["b"] }],
  matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }],
};
const probe = { httpGet: { port: 80, httpHeaders: [{ name: "a", value: "b" }] } };
const podSpec = {
  containers: [
    {
      name: "web",
      image: "nginx",
      ports: [{ name: "http", containerPort: 80, hostPort: 80 }],
      env: [
        { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "B", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } },
        { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      ],
      envFrom: [{ prefix: "a", configMapRef: { name: "c" } }, { secretRef: { name: "s" } }],
      resources: { limits: { cpu: "1" }, requests: { cpu: "1" } },
      volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }],
      volumeDevices: [{ name: "v", devicePath: "/dev/x" }],
      livenessProbe: probe,
      readinessProbe: { grpc: { port: 1 } },
      startupProbe: { exec: { command: ["a"] } },
      lifecycle: { postStart: { exec: { command: ["a"] } }, preStop: { sleep: { seconds: 1 } } },
      securityContext: { runAsUser: 1, capabilities: { add: ["NET_ADMIN"] }, allowPrivilegeEscalation: false },
    },
  ],
  initContainers: [{ name: "i", image: "b", restartPolicy: "Always" }],
  volumes: [
    { name: "v", emptyDir: { sizeLimit: "1Gi" } },
    { name: "s", secret: { secretName: "s", items: [{ key: "k", path: "p" }] } },
    { name: "d", downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.name" } }] } },
    {
      name: "p",
      projected: {
        sources: [
          { serviceAccountToken: { path: "t" } },
          { configMap: { name: "c", items: [{ key: "k", path: "p" }] } },
          {
            downwardAPI: { items: [{ path: "p", resourceFieldRef: { containerName: "web", resource: "limits.cpu" } }] },
          },
        ],
      },
    },
    { name: "n", nfs: { server: "s", path: "/p" } },
    { name: "e", ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: "1Gi" } } } } } },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [nodeTerm] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: nodeTerm }],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [podTerm],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: podTerm }],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: selector },
  ],
  tolerations: [{ key: "a", operator: "Equal", value: "b", effect: "NoSchedule" }],
  readinessGates: [{ conditionType: "a" }],
  schedulingGates: [{ name: "a" }],
  hostAliases: [{ ip: "10.0.0.1", hostnames: ["a"] }],
  imagePullSecrets: [{ name: "a" }],
  dnsConfig: { nameservers: ["10.0.0.1"], searches: ["a"], options: [{ name: "ndots", value: "1" }] },
  securityContext: { runAsUser: 1, supplementalGroups: [1] },
  nodeSelector: { a: "b" },
  os: { name: "linux" },
};
const template = { metadata: { labels: { app: "web", a: "b" }, annotations: { a: "b" } }, spec: podSpec };
const backend = { service: { name: "web", port: { number: 80 } } };
const binding = {
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
  subjects: [{ kind: "User", name: "jane", apiGroup: "rbac.authorization.k8s.io" }],
};
const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, selector };
const peers = [{ podSelector: selector }, { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }];

const crdVersion = {
  name: "v1",
  served: true,
  storage: true,
  additionalPrinterColumns: [{ name: "a", type: "string", jsonPath: ".spec.a" }],
  subresources: { scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a" } },
  schema: {
    openAPIV3Schema: {
      type: "object",
      properties: {
        metadata: { type: "object", properties: { name: { type: "string" } } },
        spec: {
          type: "object",
          properties: {
            list: {
              type: "array",
              items: { type: "object", properties: { a: { type: "string", default: "b" } } },
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": ["a"],
            },
            map: { type: "object", additionalProperties: { type: "string" } },
          },
          anyOf: [{ properties: { list: { items: { required: ["a"] } } } }],
          not: { required: ["b"] },
          "x-kubernetes-validations": [{ rule: "true", message: "a" }],
        },
      },
    },
  },
};

const samples: { [kind: string]: object } = {
  Pod: { spec: podSpec },
  PodTemplate: { template },
  ReplicationController: { spec: { selector: { app: "web" }, template } },
  Service: { spec: { type: "NodePort", selector: { a: "b" }, ports: [{ name: "a", port: 80, targetPort: "http" }] } },
  Deployment: { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 1 } } } },
  ReplicaSet: { spec: { selector, template } },
  DaemonSet: { spec: { selector, template, updateStrategy: { rollingUpdate: { maxSurge: 1 } } } },
  StatefulSet: {
    spec: { selector, template, serviceName: "a", volumeClaimTemplates: [{ metadata: { name: "d" }, spec: claim }] },
  },
  Job: {
    spec: {
      selector,
      template,
      completionMode: "Indexed",
      completions: 2,
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "a" }] },
          { action: "FailJob", onExitCodes: { operator: "In", values: [1] } },
        ],
      },
      successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 1 }] },
    },
  },
  CronJob: { spec: { schedule: "* * * * *", timeZone: "UTC", jobTemplate: { spec: { template } } } },
  HorizontalPodAutoscaler: {
    spec: {
      maxReplicas: 1,
      scaleTargetRef: { kind: "Deployment", name: "web" },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 1 } } },
        { type: "Pods", pods: { metric: { name: "a" }, target: { type: "AverageValue", averageValue: "1" } } },
      ],
      behavior: { scaleUp: { policies: [{ type: "Pods", value: 1, periodSeconds: 1 }] } },
    },
  },
  ConfigMap: { data: { a: "b" }, binaryData: { c: "ZA==" }, immutable: true },
  Secret: { data: { a: "b" }, stringData: { c: "d" }, type: "kubernetes.io/tls" },
  Node: { spec: { taints: [{ key: "a", effect: "NoSchedule" }], podCIDRs: ["10.0.0.0/24"] } },
  Endpoints: { subsets: [{ addresses: [{ ip: "10.0.0.1", hostname: "a" }], ports: [{ name: "a", port: 80 }] }] },
  EndpointSlice: {
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], hostname: "a" }],
    ports: [{ name: "a", port: 80 }],
  },
  PersistentVolume: {
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/x" } },
  },
  PersistentVolumeClaim: { spec: claim },
  ResourceQuota: { spec: { hard: { pods: "1", "requests.cpu": "1" } } },
  LimitRange: { spec: { limits: [{ type: "Container", max: { cpu: "1" }, min: { cpu: "1" } }] } },
  Event: { involvedObject: { kind: "Pod", name: "web", namespace: "default" }, regarding: { name: "web" } },
  Namespace: { spec: { finalizers: ["a"] } },
  Role: { rules },
  ClusterRole: { rules, aggregationRule: { clusterRoleSelectors: [selector] } },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  Ingress: {
    spec: {
      defaultBackend: backend,
      rules: [{ host: "a.b", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      tls: [{ hosts: ["a.b"], secretName: "s" }],
    },
  },
  IngressClass: { spec: { controller: "a.b/c", parameters: { kind: "a", name: "b" } } },
  NetworkPolicy: {
    spec: {
      podSelector: selector,
      ingress: [{ from: peers, ports: [{ port: 80 }] }],
      egress: [{ to: peers, ports: [{ port: "a" }] }],
    },
  },
  PodDisruptionBudget: { spec: { minAvailable: "50%", selector } },
  Lease: { spec: { leaseDurationSeconds: 1 } },
  PriorityClass: { value: 1 },
  StorageClass: { provisioner: "a.b/c" },
  CertificateSigningRequest: { spec: { request: "", signerName: "a.b/c", usages: ["client auth"] } },
  MutatingWebhookConfiguration: { webhooks: [{ name: "a", clientConfig: { service: { name: "a" } }, rules: [{}] }] },
  ValidatingWebhookConfiguration: { webhooks: [{ name: "a", clientConfig: { service: { name: "a" } }, rules: [{}] }] },
  CustomResourceDefinition: {
    spec: {
      group: "example.com",
      names: { kind: "A", plural: "as", shortNames: ["a"], categories: ["all"] },
      scope: "Namespaced",
      conversion: { strategy: "Webhook", webhook: { clientConfig: { url: "a" }, conversionReviewVersions: ["v1"] } },
      versions: [crdVersion, { ...crdVersion, name: "v2", storage: false, schema: {} }],
    },
  },
  PriorityLevelConfiguration: {
    spec: { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: { queues: 1 } } } },
  },
  FlowSchema: {
    spec: {
      priorityLevelConfiguration: { name: "a" },
      distinguisherMethod: { type: "ByUser" },
      rules: [
        {
          subjects: [
            { kind: "User", user: { name: "a" } },
            { kind: "ServiceAccount", serviceAccount: { name: "a", namespace: "b" } },
          ],
          resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["a"] }],
          nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a"] }],
        },
      ],
    },
  },
  ValidatingAdmissionPolicy: {
    spec: {
      paramKind: { apiVersion: "a/v1", kind: "A" },
      matchConstraints: { resourceRules: [{ operations: ["CREATE"], resources: ["a/b"], resourceNames: ["a"] }] },
      matchConditions: [{ name: "a", expression: "true" }],
      variables: [{ name: "a", expression: "true" }],
      validations: [{ expression: "true", message: "a" }],
      auditAnnotations: [{ key: "a", valueExpression: "true" }],
    },
  },
  ValidatingAdmissionPolicyBinding: {
    spec: { policyName: "a", paramRef: { name: "a", selector }, matchResources: {}, validationActions: ["Deny"] },
  },
  APIService: { spec: { group: "a.b", version: "v1", service: { name: "a", namespace: "b" } } },
  CSIDriver: {
    spec: { tokenRequests: [{ audience: "a", expirationSeconds: 1 }], volumeLifecycleModes: ["Persistent"] },
  },
  CSINode: { spec: { drivers: [{ name: "a", nodeID: "b", topologyKeys: ["c"], allocatable: { count: 1 } }] } },
  CSIStorageCapacity: { storageClassName: "a", capacity: "1Gi", nodeTopology: selector },
  VolumeAttachment: { spec: { attacher: "a", nodeName: "b", source: { persistentVolumeName: "c" } } },
  IPAddress: { spec: { parentRef: { resource: "services", name: "a", namespace: "b" } } },
  ServiceCIDR: { spec: { cidrs: ["10.0.0.0/24", "fd00::/64"] } },
  RuntimeClass: {
    handler: "a",
    overhead: { podFixed: { cpu: "1" } },
    scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "a" }] },
  },
  ControllerRevision: { data: { a: "b" }, revision: 1 },
};

/** A fresh object of the kind, without identity; { spec: {} } for kinds that have none here. */
export function sampleOf(kind: string): { [field: string]: unknown } {
  return structuredClone({ spec: {}, ...(Object.hasOwn(samples, kind) ? samples[kind] : {}) });
}
