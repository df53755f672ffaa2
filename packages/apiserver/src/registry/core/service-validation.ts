// What a valid Service is, and what an update may change of one, in upstream's words and order (upstream:
// ValidateService, ValidateServiceUpdate). Pure.

import type { Service, ServicePort, ServiceSpec } from "@picokube/api/core/v1";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from "@picokube/api/validation/field-error";
import { GoValue, goIntOrString, goStrings, quoted } from "@picokube/api/validation/go-syntax";
import { ipFamilyOf, isValidCIDR, isValidIP } from "@picokube/api/validation/ip";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName, isValidPortNum } from "@picokube/api/validation/names";
import { objections, oneOf, oneOfIfSet, portNumberOrName } from "../check.js";
import { validateLabels } from "../label-validation.js";
import { validateEndpointIp } from "./endpoints-validation.js";
import { isExternallyAccessible, isHeadless, needsClusterIp, needsHealthCheckPort } from "./service-types.js";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];

function validatePort(port: ServicePort, path: string, { namesRequired }: { namesRequired: boolean }): FieldError[] {
  const { name, port: number = 0, targetPort, appProtocol } = port;
  const faults: FieldError[] = [];
  if (namesRequired && !name) faults.push(required(`${path}.name`));
  else if (name) faults.push(...objections(`${path}.name`, name, isDNS1123Label(name)));
  faults.push(...objections(`${path}.port`, number, isValidPortNum(number)));
  faults.push(...oneOf(`${path}.protocol`, port.protocol, protocols));
  faults.push(...portNumberOrName(`${path}.targetPort`, targetPort));
  if (appProtocol === undefined) return faults;
  return [...faults, ...objections(`${path}.appProtocol`, appProtocol, isQualifiedName(appProtocol))];
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`;
    const faults = validatePort(port, path, { namesRequired: ports.length > 1 });
    if (port.name && names.has(port.name)) faults.push(duplicate(`${path}.name`, port.name));
    if (port.name) names.add(port.name);
    return faults;
  });
}

/** Each port and each node port once for a protocol; a cluster IP has no node ports. */
function validatePortsTogether(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  const faults: FieldError[] = [];
  if (spec.type === "ClusterIP") {
    for (const [index, { nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      faults.push(forbiddenField(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  const nodePorts = new Set<string>();
  for (const [index, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue;
    const key = `${protocol}/${nodePort}`;
    if (nodePorts.has(key)) faults.push(duplicate(`spec.ports[${index}].nodePort`, nodePort));
    nodePorts.add(key);
  }
  const seen = new Set<string>();
  for (const [index, { port, protocol }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    if (seen.has(key)) faults.push(duplicate(`spec.ports[${index}]`, goPort(protocol, port)));
    seen.add(key);
  }
  return faults;
}

/** The key of a port as Go prints it: a core.ServicePort with nothing but protocol and port. */
function goPort(protocol = "", port = 0): GoValue {
  const target = goIntOrString(undefined).text;
  return new GoValue(
    `core.ServicePort{Name:"", Protocol:${quoted(protocol)}, AppProtocol:(*string)(nil), Port:${port}, TargetPort:${target}, NodePort:0}`,
  );
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const words = "may not be set for ExternalName services";
  const faults: FieldError[] = [];
  if ((spec.clusterIPs ?? []).length > 0) faults.push(forbiddenField("spec.clusterIPs", words));
  if ((spec.ipFamilies ?? []).length > 0) faults.push(forbiddenField("spec.ipFamilies", words));
  if (spec.ipFamilyPolicy !== undefined) faults.push(forbiddenField("spec.ipFamilyPolicy", words));
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") return [...faults, required("spec.externalName")];
  return [...faults, ...objections("spec.externalName", name, isDNS1123Subdomain(name))];
}

/** What belongs to the type alone. */
function validateType(spec: ServiceSpec): FieldError[] {
  if (spec.type === "ExternalName") return validateExternalName(spec);
  if (!isHeadless(spec) || (spec.type !== "LoadBalancer" && spec.type !== "NodePort")) return [];
  return [invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`)];
}

function validateFamilies({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  const faults = ipFamilies.flatMap((family, index) => {
    const at = `spec.ipFamilies[${index}]`;
    const found = oneOfIfSet(at, family, ["IPv4", "IPv6"]);
    if (seen.has(family)) found.push(duplicate(at, family));
    seen.add(family);
    return found;
  });
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  return [...faults, ...oneOfIfSet("spec.ipFamilyPolicy", ipFamilyPolicy, policies)];
}

/** clusterIP, clusterIPs and families say the same (upstream: ValidateServiceClusterIPsRelatedFields). */
function validateClusterIps(spec: ServiceSpec): FieldError[] {
  if (spec.type === "ExternalName") return [];
  const path = "spec.clusterIPs";
  const { clusterIP, clusterIPs: ips = [], ipFamilies = [] } = spec;
  const faults: FieldError[] = [];
  if (clusterIP) {
    if (ips.length === 0) faults.push(required(path));
    else if (ips[0] !== clusterIP) faults.push(invalidValue(path, ips, "first value must match `clusterIP`"));
  } else if (ips.length > 0) faults.push(invalidValue(path, ips, "must be empty when `clusterIP` is not specified"));
  faults.push(...validateFamilies(spec));
  let hasInvalid = false;
  for (const [index, ip] of ips.entries()) {
    if (index === 0 && ip === "None") {
      if (ips.length === 1) continue;
      hasInvalid = true;
      faults.push(invalidValue(path, ips, "'None' must be the first and only value"));
      continue;
    }
    const words = isValidIP(ip);
    hasInvalid ||= words.length > 0;
    faults.push(...objections(`${path}[${index}]`, ip, words));
  }
  if (ips.length > 2) faults.push(invalidValue(path, ips, "may only hold up to 2 values"));
  if (hasInvalid) return faults;
  if (ips.length > 1 && new Set(ips.map(ipFamilyOf)).size < 2) {
    faults.push(invalidValue(path, ips, "may specify no more than one IP for each IP family"));
  }
  if (isHeadless(spec)) return faults;
  for (const [index, ip] of ips.entries()) {
    const family = ipFamilies[index];
    if (family === undefined || ipFamilyOf(ip) === family) continue;
    const words = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    faults.push(invalidValue(`${path}[${index}]`, ip, words));
  }
  return faults;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const faults = oneOf("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]);
  const path = "spec.sessionAffinityConfig";
  if (sessionAffinity === "None" && config !== undefined) {
    faults.push(forbiddenField(path, "must not be set when session affinity is None"));
  }
  if (sessionAffinity !== "ClientIP") return faults;
  const words = "when session affinity type is ClientIP";
  if (!config) return [...faults, required(path, words)];
  if (!config.clientIP) return [...faults, required(`${path}.clientIP`, words)];
  const field = `${path}.clientIP.timeoutSeconds`;
  const { timeoutSeconds: seconds } = config.clientIP;
  if (seconds === undefined) return [...faults, required(field, words)];
  if (seconds > 0 && seconds <= 86400) return faults;
  return [...faults, invalidValue(field, seconds, "must be greater than 0 and less than 86400")];
}

const sourceRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";

function validateSourceRanges({ metadata, spec = {} }: Service): FieldError[] {
  const annotation = metadata.annotations?.[sourceRanges];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length === 0 && annotation === undefined) return [];
  // Upstream writes the field with a capital letter.
  const path = ranges.length > 0 ? "spec.LoadBalancerSourceRanges" : `metadata.annotations[${sourceRanges}]`;
  const words = "may only be used when `type` is 'LoadBalancer'";
  const faults = spec.type === "LoadBalancer" ? [] : [forbiddenField(path, words)];
  const list = ranges.length > 0 ? ranges : (annotation ?? "").trim() === "" ? [] : annotation!.split(",");
  for (const [index, padded] of list.entries()) {
    const range = padded.trim();
    faults.push(...objections(ranges.length > 0 ? `${path}[${index}]` : path, range, isValidCIDR(range)));
  }
  return faults;
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const isLoadBalancer = spec.type === "LoadBalancer";
  const words = "may only be used when `type` is 'LoadBalancer'";
  const faults: FieldError[] = [];
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) {
    faults.push(forbiddenField("spec.allocateLoadBalancerNodePorts", words));
  }
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined) return faults;
  if (!isLoadBalancer) return [...faults, forbiddenField("spec.loadBalancerClass", words)];
  return [...faults, ...objections("spec.loadBalancerClass", loadBalancerClass, isQualifiedName(loadBalancerClass))];
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const policies = ["Cluster", "Local"];
  const { externalTrafficPolicy: external, healthCheckNodePort: health = 0, internalTrafficPolicy: internal } = spec;
  const faults: FieldError[] = [];
  if (isExternallyAccessible(spec)) faults.push(...oneOf("spec.externalTrafficPolicy", external, policies));
  else if (external) {
    const words = "may only be set for externally-accessible services";
    faults.push(invalidValue("spec.externalTrafficPolicy", external, words));
  }
  if (health !== 0 && !needsHealthCheckPort(spec)) {
    const words = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    faults.push(invalidValue("spec.healthCheckNodePort", health, words));
  } else if (health !== 0) {
    faults.push(...objections("spec.healthCheckNodePort", health, isValidPortNum(health)));
  }
  if (internal === undefined && needsClusterIp(spec)) faults.push(required("spec.internalTrafficPolicy"));
  faults.push(...oneOfIfSet("spec.internalTrafficPolicy", internal, policies));
  return [...faults, ...oneOfIfSet("spec.trafficDistribution", spec.trafficDistribution, ["PreferClose"])];
}

const topologyMode = "service.kubernetes.io/topology-mode";
const topologyHints = "service.kubernetes.io/topology-aware-hints";

function validateTopologyAnnotations({ metadata }: Service): FieldError[] {
  const { [topologyMode]: mode, [topologyHints]: hints } = metadata.annotations ?? {};
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const words = `must match annotations[${topologyHints}] when both are specified`;
  return [invalidValue(`metadata.annotations[${topologyMode}]`, mode, words)];
}

/** A Service as it is created. */
export function validateService(service: Service): FieldError[] {
  const { spec = {} } = service;
  const needsPorts = !isHeadless(spec) && spec.type !== "ExternalName";
  const faults = validateTopologyAnnotations(service);
  if (needsPorts && (spec.ports ?? []).length === 0) faults.push(required("spec.ports"));
  return [
    ...faults,
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => validateEndpointIp(ip, `spec.externalIPs[${index}]`)),
    ...oneOf("spec.type", spec.type, types),
    ...validatePortsTogether(spec),
    ...validateSourceRanges(service),
    ...validateLoadBalancer(spec),
    ...validateTraffic(spec),
  ];
}

interface FirstStays {
  readonly now: readonly string[];
  readonly old: readonly string[];
  readonly path: string;
  /** One of them, such as "clusterIP". */
  readonly noun: string;
  readonly shown: GoValue;
  readonly policy: string | undefined;
}

/** What becomes of a list of addresses or families, whose first stays (upstream: validateUpgradeDowngradeClusterIPs and its twin for families). */
function validateFirstStays({ now, old, path, noun, shown, policy }: FirstStays): FieldError[] {
  const changed = (index: number) => invalidValue(`${path}[${index}]`, shown, "may not change once set");
  if (old.length === now.length) {
    // Upstream always names the first family.
    return old.flatMap((value, index) => (value === now[index] ? [] : [changed(noun === "clusterIP" ? index : 0)]));
  }
  const faults = old.length > 0 && now.length > 0 && now[0] !== old[0] ? [changed(0)] : [];
  if (old.length < now.length) return faults;
  if (now.length === 0) return [invalidValue(`${path}[0]`, shown, `primary ${noun} can not be unset`)];
  if (now.length > 1 || policy === "SingleStack") return faults;
  const why = `must be set to 'SingleStack' when releasing the secondary ${noun}`;
  return [...faults, invalidValue("spec.ipFamilyPolicy", policy, why)];
}

function validateAddressChanges(spec: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (spec.type === "ExternalName" || before.type === "ExternalName") return [];
  const [isNow, was] = [isHeadless(spec), isHeadless(before)];
  if (isNow && was) return [];
  const policy = spec.ipFamilyPolicy;
  const faults = validateFirstStays({
    now: spec.clusterIPs ?? [],
    old: before.clusterIPs ?? [],
    path: "spec.clusterIPs",
    noun: "clusterIP",
    shown: goStrings(spec.clusterIPs),
    policy,
  });
  if (isNow !== was) return faults;
  const families = validateFirstStays({
    now: spec.ipFamilies ?? [],
    old: before.ipFamilies ?? [],
    path: "spec.ipFamilies",
    noun: "ipFamily",
    shown: goStrings(spec.ipFamilies, "core.IPFamily"),
    policy,
  });
  return [...faults, ...families];
}

/** A change of a Service: what may not change, then the Service itself. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const { spec = {} } = service;
  const before = old.spec ?? {};
  const faults = validateAddressChanges(spec, before);
  const keepsClass = before.loadBalancerClass === spec.loadBalancerClass;
  if (before.type === "LoadBalancer" && spec.type === "LoadBalancer" && !keepsClass) {
    faults.push(invalidValue("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set"));
  }
  const needsPort = needsHealthCheckPort(before) && needsHealthCheckPort(spec);
  if (needsPort && spec.healthCheckNodePort !== before.healthCheckNodePort) {
    faults.push(forbiddenField("spec.healthCheckNodePort", "field is immutable"));
  }
  return [...faults, ...validateService(service)];
}
