// What a valid Service is, in upstream's words and order (upstream: ValidateService, ValidateServiceUpdate). Pure.

import type { Service, ServicePort, ServiceSpec } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { ipFamilyOf, isValidCIDR, isValidIP } from "@picokube/api/validation/ip";
import { isDNS1123Label, isDNS1123Subdomain, isValidPortName, isValidPortNum } from "@picokube/api/validation/names";
import { immutable } from "../immutable.js";
import { validateLabels } from "../label-validation.js";
import { isHeadless, needsClusterIp } from "./service-types.js";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];

function validatePort(port: ServicePort, path: string, { namesRequired }: { namesRequired: boolean }): FieldError[] {
  const faults: FieldError[] = [];
  if (namesRequired && !port.name) faults.push(required(`${path}.name`));
  else if (port.name) {
    for (const why of isDNS1123Label(port.name)) faults.push(invalidValue(`${path}.name`, port.name, why));
  }
  for (const why of isValidPortNum(port.port ?? 0)) faults.push(invalidValue(`${path}.port`, port.port ?? 0, why));
  if (!port.protocol) faults.push(required(`${path}.protocol`));
  else if (!protocols.includes(port.protocol)) {
    faults.push(notSupported(`${path}.protocol`, port.protocol, protocols));
  }
  const target = port.targetPort;
  const objections =
    typeof target === "string" ? isValidPortName(target) : target === undefined ? [] : isValidPortNum(target);
  for (const why of objections) faults.push(invalidValue(`${path}.targetPort`, target, why));
  return faults;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  const faults: FieldError[] = [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") faults.push(required("spec.ports"));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    faults.push(...validatePort(port, path, { namesRequired: ports.length > 1 }));
    if (port.name && names.has(port.name)) faults.push(duplicate(`${path}.name`, port.name));
    if (port.name) names.add(port.name);
  }
  if (spec.type === "ClusterIP" || spec.type === "ExternalName") {
    for (const [index, { nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      faults.push(forbiddenField(`spec.ports[${index}].nodePort`, `may not be used when \`type\` is '${spec.type}'`));
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
    if (seen.has(key)) faults.push(duplicate(`spec.ports[${index}]`, { protocol, port }));
    seen.add(key);
  }
  return faults;
}

function validateClusterIps(spec: ServiceSpec): FieldError[] {
  const ips = spec.clusterIPs ?? [];
  if (!needsClusterIp(spec)) {
    return ips.length > 0 ? [forbiddenField("spec.clusterIPs", `may not be set when \`type\` is '${spec.type}'`)] : [];
  }
  const faults: FieldError[] = [];
  if (spec.clusterIP && ips.length > 0 && ips[0] !== spec.clusterIP) {
    faults.push(invalidValue("spec.clusterIPs[0]", ips[0], "must be the same as `spec.clusterIP`"));
  }
  if (ips.length > 2) faults.push(invalidValue("spec.clusterIPs", ips, "may only hold up to 2 values"));
  for (const [index, ip] of ips.entries()) {
    if (ip === "None") {
      if (index > 0) faults.push(invalidValue("spec.clusterIPs", ips, "'None' must be the first and only value"));
      continue;
    }
    for (const why of isValidIP(ip)) faults.push(invalidValue(`spec.clusterIPs[${index}]`, ip, why));
  }
  if (ips.length === 2 && ipFamilyOf(ips[0]!) === ipFamilyOf(ips[1]!)) {
    faults.push(
      invalidValue(
        "spec.clusterIPs",
        ips,
        "may specify no more than one IP for each IP family, i.e. 192.168.1.1 and 2001:db8::1",
      ),
    );
  }
  return faults;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const faults: FieldError[] = [];
  if (!sessionAffinity) faults.push(required("spec.sessionAffinity"));
  else if (sessionAffinity !== "ClientIP" && sessionAffinity !== "None") {
    faults.push(notSupported("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]));
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (sessionAffinity === "ClientIP" && (seconds === undefined || seconds <= 0 || seconds > 86400)) {
    const path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    faults.push(invalidValue(path, seconds ?? 0, "must be greater than 0 and less than 86400"));
  }
  return faults;
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const faults: FieldError[] = [];
  const policies = ["Cluster", "Local"];
  if (spec.externalTrafficPolicy && !policies.includes(spec.externalTrafficPolicy)) {
    faults.push(notSupported("spec.externalTrafficPolicy", spec.externalTrafficPolicy, policies));
  }
  if (spec.internalTrafficPolicy && !policies.includes(spec.internalTrafficPolicy)) {
    faults.push(notSupported("spec.internalTrafficPolicy", spec.internalTrafficPolicy, policies));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer") {
    faults.push(forbiddenField("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
  }
  if (spec.loadBalancerClass !== undefined && spec.type !== "LoadBalancer") {
    faults.push(forbiddenField("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"));
  }
  const families = ["", "IPv4", "IPv6"];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!families.includes(family)) {
      faults.push(notSupported(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]));
    }
  }
  const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  if (spec.ipFamilyPolicy && !familyPolicies.includes(spec.ipFamilyPolicy)) {
    faults.push(notSupported("spec.ipFamilyPolicy", spec.ipFamilyPolicy, familyPolicies));
  }
  return faults;
}

/** A Service as it is created. */
export function validateService({ spec = {} }: Service): FieldError[] {
  const faults: FieldError[] = [];
  if (spec.type === "LoadBalancer" && isHeadless(spec)) {
    faults.push(invalidValue("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services"));
  }
  if (spec.type === "NodePort" && isHeadless(spec)) {
    faults.push(invalidValue("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services"));
  }
  if (spec.type === "ExternalName") {
    const name = (spec.externalName ?? "").replace(/\.$/, "");
    if (name === "") faults.push(required("spec.externalName"));
    else for (const why of isDNS1123Subdomain(name)) faults.push(invalidValue("spec.externalName", name, why));
  }
  faults.push(...validatePorts(spec));
  faults.push(...validateLabels(spec.selector, "spec.selector"));
  faults.push(...validateAffinity(spec));
  faults.push(...validateClusterIps(spec));
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    for (const why of isValidIP(ip)) faults.push(invalidValue(`spec.externalIPs[${index}]`, ip, why));
  }
  if (!spec.type) faults.push(required("spec.type"));
  else if (!types.includes(spec.type)) faults.push(notSupported("spec.type", spec.type, types));
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    const path = `spec.loadBalancerSourceRanges[${index}]`;
    for (const why of isValidCIDR(range.trim())) faults.push(invalidValue(path, range, why));
  }
  faults.push(...validatePolicies(spec));
  return faults;
}

/** A change of a Service: what may not change, then the Service itself. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const faults: FieldError[] = [];
  const { spec = {} } = service;
  const before = old.spec ?? {};
  if (needsClusterIp(before) && needsClusterIp(spec) && before.clusterIPs?.[0]) {
    if (spec.clusterIPs?.[0] !== before.clusterIPs[0]) {
      const field = spec.clusterIPs?.[0] === undefined ? "spec.clusterIP" : "spec.clusterIPs[0]";
      const value = spec.clusterIPs ?? [];
      faults.push(
        field === "spec.clusterIP"
          ? invalidValue(field, spec.clusterIP ?? "", "field is immutable")
          : invalidValue(field, value, "may not change once set"),
      );
    }
  }
  if (before.type === "LoadBalancer" && spec.type === "LoadBalancer" && before.loadBalancerClass !== undefined) {
    if (!semanticDeepEqual(before.loadBalancerClass, spec.loadBalancerClass)) {
      faults.push(...immutable("spec.loadBalancerClass", spec.loadBalancerClass, before.loadBalancerClass));
    }
  }
  if (needsClusterIp(before) && needsClusterIp(spec) && before.ipFamilies?.[0] && spec.ipFamilies?.[0]) {
    if (spec.ipFamilies[0] !== before.ipFamilies[0]) {
      faults.push(invalidValue("spec.ipFamilies[0]", spec.ipFamilies[0], "may not change once set"));
    }
  }
  return [...faults, ...validateService(service)];
}
