// What kubectl api-resources shows of every built-in kind of 1.33, and the order that clients resolve names in.

import { text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

const ALL = "create,delete,deletecollection,get,list,patch,update,watch";
const REVIEW = "create";

/** Name, short names, apiVersion, namespaced, kind, verbs, categories: the generally available kinds of upstream. */
const SERVED = `
bindings||v1|true|Binding|${REVIEW}|
componentstatuses|cs|v1|false|ComponentStatus|get,list|
configmaps|cm|v1|true|ConfigMap|${ALL}|
endpoints|ep|v1|true|Endpoints|${ALL}|
events|ev|v1|true|Event|${ALL}|
limitranges|limits|v1|true|LimitRange|${ALL}|
namespaces|ns|v1|false|Namespace|create,delete,get,list,patch,update,watch|
nodes|no|v1|false|Node|${ALL}|
persistentvolumeclaims|pvc|v1|true|PersistentVolumeClaim|${ALL}|
persistentvolumes|pv|v1|false|PersistentVolume|${ALL}|
pods|po|v1|true|Pod|${ALL}|all
podtemplates||v1|true|PodTemplate|${ALL}|
replicationcontrollers|rc|v1|true|ReplicationController|${ALL}|all
resourcequotas|quota|v1|true|ResourceQuota|${ALL}|
secrets||v1|true|Secret|${ALL}|
serviceaccounts|sa|v1|true|ServiceAccount|${ALL}|
services|svc|v1|true|Service|${ALL}|all
apiservices||apiregistration.k8s.io/v1|false|APIService|${ALL}|api-extensions
controllerrevisions||apps/v1|true|ControllerRevision|${ALL}|
daemonsets|ds|apps/v1|true|DaemonSet|${ALL}|all
deployments|deploy|apps/v1|true|Deployment|${ALL}|all
replicasets|rs|apps/v1|true|ReplicaSet|${ALL}|all
statefulsets|sts|apps/v1|true|StatefulSet|${ALL}|all
events|ev|events.k8s.io/v1|true|Event|${ALL}|
selfsubjectreviews||authentication.k8s.io/v1|false|SelfSubjectReview|${REVIEW}|
tokenreviews||authentication.k8s.io/v1|false|TokenReview|${REVIEW}|
localsubjectaccessreviews||authorization.k8s.io/v1|true|LocalSubjectAccessReview|${REVIEW}|
selfsubjectaccessreviews||authorization.k8s.io/v1|false|SelfSubjectAccessReview|${REVIEW}|
selfsubjectrulesreviews||authorization.k8s.io/v1|false|SelfSubjectRulesReview|${REVIEW}|
subjectaccessreviews||authorization.k8s.io/v1|false|SubjectAccessReview|${REVIEW}|
horizontalpodautoscalers|hpa|autoscaling/v2|true|HorizontalPodAutoscaler|${ALL}|all
horizontalpodautoscalers|hpa|autoscaling/v1|true|HorizontalPodAutoscaler|${ALL}|all
cronjobs|cj|batch/v1|true|CronJob|${ALL}|all
jobs||batch/v1|true|Job|${ALL}|all
certificatesigningrequests|csr|certificates.k8s.io/v1|false|CertificateSigningRequest|${ALL}|
ingressclasses||networking.k8s.io/v1|false|IngressClass|${ALL}|
ingresses|ing|networking.k8s.io/v1|true|Ingress|${ALL}|
ipaddresses|ip|networking.k8s.io/v1|false|IPAddress|${ALL}|
networkpolicies|netpol|networking.k8s.io/v1|true|NetworkPolicy|${ALL}|
servicecidrs||networking.k8s.io/v1|false|ServiceCIDR|${ALL}|
poddisruptionbudgets|pdb|policy/v1|true|PodDisruptionBudget|${ALL}|
clusterrolebindings||rbac.authorization.k8s.io/v1|false|ClusterRoleBinding|${ALL}|
clusterroles||rbac.authorization.k8s.io/v1|false|ClusterRole|${ALL}|
rolebindings||rbac.authorization.k8s.io/v1|true|RoleBinding|${ALL}|
roles||rbac.authorization.k8s.io/v1|true|Role|${ALL}|
csidrivers||storage.k8s.io/v1|false|CSIDriver|${ALL}|
csinodes||storage.k8s.io/v1|false|CSINode|${ALL}|
csistoragecapacities||storage.k8s.io/v1|true|CSIStorageCapacity|${ALL}|
storageclasses|sc|storage.k8s.io/v1|false|StorageClass|${ALL}|
volumeattachments||storage.k8s.io/v1|false|VolumeAttachment|${ALL}|
mutatingwebhookconfigurations||admissionregistration.k8s.io/v1|false|MutatingWebhookConfiguration|${ALL}|api-extensions
validatingadmissionpolicies||admissionregistration.k8s.io/v1|false|ValidatingAdmissionPolicy|${ALL}|api-extensions
validatingadmissionpolicybindings||admissionregistration.k8s.io/v1|false|ValidatingAdmissionPolicyBinding|${ALL}|api-extensions
validatingwebhookconfigurations||admissionregistration.k8s.io/v1|false|ValidatingWebhookConfiguration|${ALL}|api-extensions
customresourcedefinitions|crd,crds|apiextensions.k8s.io/v1|false|CustomResourceDefinition|${ALL}|api-extensions
priorityclasses|pc|scheduling.k8s.io/v1|false|PriorityClass|${ALL}|
leases||coordination.k8s.io/v1|true|Lease|${ALL}|
runtimeclasses||node.k8s.io/v1|false|RuntimeClass|${ALL}|
endpointslices||discovery.k8s.io/v1|true|EndpointSlice|${ALL}|
flowschemas||flowcontrol.apiserver.k8s.io/v1|false|FlowSchema|${ALL}|
prioritylevelconfigurations||flowcontrol.apiserver.k8s.io/v1|false|PriorityLevelConfiguration|${ALL}|
`
  .trim()
  .split("\n");

/** Name, kind (with its group and version where they are not the resource's own) and verbs. */
const SUBRESOURCES = [
  "certificatesigningrequests/approval CertificateSigningRequest get,patch,update",
  "deployments/scale autoscaling/v1/Scale get,patch,update",
  "namespaces/finalize Namespace update",
  "nodes/proxy NodeProxyOptions create,delete,get,patch,update",
  "pods/attach PodAttachOptions create,get",
  "pods/binding Binding create",
  "pods/ephemeralcontainers Pod get,patch,update",
  "pods/eviction policy/v1/Eviction create",
  "pods/exec PodExecOptions create,get",
  "pods/log Pod get",
  "pods/portforward PodPortForwardOptions create,get",
  "pods/proxy PodProxyOptions create,delete,get,patch,update",
  "pods/resize Pod get,patch,update",
  "pods/status Pod get,patch,update",
  "replicationcontrollers/scale autoscaling/v1/Scale get,patch,update",
  "serviceaccounts/token authentication.k8s.io/v1/TokenRequest create",
  "services/proxy ServiceProxyOptions create,delete,get,patch,update",
];

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

test("every built-in kind is served under upstream's names, in upstream's order", async (t) => {
  const server = await startApiServer(t);
  const get = async (path: string) => JSON.parse(await textOf((await server.client.raw({ method: "GET", path })).body));
  const { groups } = await get("/apis");
  const groupVersions: string[] = groups.flatMap(({ versions }: { versions: { groupVersion: string }[] }) =>
    versions.map(({ groupVersion }) => groupVersion),
  );
  const served: string[] = [];
  const subresources: string[] = [];
  const hashes: { [kind: string]: string | undefined } = {};
  for (const groupVersion of ["v1", ...groupVersions]) {
    const list = await get(groupVersion === "v1" ? "/api/v1" : `/apis/${groupVersion}`);
    for (const resource of list.resources as ApiResource[]) {
      const { name, kind, group, version, namespaced, verbs, shortNames = [], categories = [] } = resource;
      if (name.includes("/")) {
        const own = group === undefined ? kind : `${group}/${version}/${kind}`;
        subresources.push(`${name} ${own} ${verbs.join(",")}`);
        continue;
      }
      hashes[`${groupVersion}/${kind}`] = resource.storageVersionHash;
      served.push([name, shortNames, groupVersion, namespaced, kind, verbs, categories].join("|"));
    }
  }
  t.same(served, SERVED);
  for (const subresource of SUBRESOURCES) t.ok(subresources.includes(subresource), subresource);
  t.match(hashes, {
    "v1/Pod": "xPOwRZ+Yhw8=",
    "apps/v1/Deployment": "8aSe+NMegvE=",
    "events.k8s.io/v1/Event": "r2yiGXH7wu8=",
    "autoscaling/v1/HorizontalPodAutoscaler": "qwQve8ut294=",
  });
  for (const kind of ["v1/Binding", "v1/ComponentStatus", "authentication.k8s.io/v1/TokenReview"]) {
    t.equal(hashes[kind], undefined, `${kind} is not stored`);
  }
});
