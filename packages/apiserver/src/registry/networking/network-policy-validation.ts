// What a valid NetworkPolicy is, in upstream's words (upstream: ValidateNetworkPolicySpec). Pure.

import type { NetworkPolicy } from "@picokube/api/networking/v1";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { goStrings } from "@picokube/api/validation/go-syntax";
import { cidrContains, isValidCIDR, parseCIDR } from "@picokube/api/validation/ip";
import { isValidPortName, isValidPortNum } from "@picokube/api/validation/names";
import { objections, oneOfIfSet } from "../check.js";
import { validateLabelSelector } from "../label-validation.js";

type Spec = NonNullable<NetworkPolicy["spec"]>;
type Ingress = NonNullable<Spec["ingress"]>[number];
type Peer = NonNullable<Ingress["from"]>[number];
type Port = NonNullable<Ingress["ports"]>[number];

function validatePort({ port, endPort, protocol }: Port, path: string): FieldError[] {
  const faults = oneOfIfSet(`${path}.protocol`, protocol, ["TCP", "UDP", "SCTP"]);
  if (typeof port === "number") {
    faults.push(...objections(`${path}.port`, port, isValidPortNum(port)));
    if (endPort === undefined) return faults;
    if (endPort < port) faults.push(invalidValue(`${path}.endPort`, port, "must be greater than or equal to `port`"));
    faults.push(...objections(`${path}.endPort`, endPort, isValidPortNum(endPort)));
  } else if (port !== undefined) {
    if (endPort !== undefined) {
      faults.push(invalidValue(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric"));
    }
    faults.push(...objections(`${path}.port`, port, isValidPortName(port)));
  } else if (endPort !== undefined) {
    faults.push(invalidValue(`${path}.endPort`, endPort, "may not be specified when `port` is not specified"));
  }
  return faults;
}

function validateIpBlock({ cidr = "", except }: NonNullable<Peer["ipBlock"]>, path: string): FieldError[] {
  if (cidr === "") return [required(`${path}.cidr`)];
  const faults = objections(`${path}.cidr`, cidr, isValidCIDR(cidr));
  const outer = parseCIDR(cidr);
  if (!outer) return faults;
  for (const [index, excepted] of (except ?? []).entries()) {
    const at = `${path}.except[${index}]`;
    const inner = parseCIDR(excepted);
    faults.push(...objections(at, excepted, isValidCIDR(excepted)));
    if (!inner) continue;
    if (!cidrContains(outer, excepted.split("/")[0]!) || inner.prefixLength <= outer.prefixLength) {
      faults.push(invalidValue(at, excepted, "must be a strict subset of `cidr`"));
    }
  }
  return faults;
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: Peer, path: string): FieldError[] {
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (!hasSelector && !ipBlock) return [required(path, "must specify a peer")];
  return [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateIpBlock(ipBlock, `${path}.ipBlock`) : []),
    ...(ipBlock && hasSelector ? [forbiddenField(path, "may not specify both ipBlock and another peer")] : []),
  ];
}

/** A NetworkPolicy as it is created and changed. */
export function validateNetworkPolicy({ spec = { podSelector: {} } }: NetworkPolicy): FieldError[] {
  const faults = validateLabelSelector(spec.podSelector, "spec.podSelector");
  const rules = [
    ...(spec.ingress ?? []).map(({ from, ports }, index) => ({
      at: `spec.ingress[${index}]`,
      peers: from,
      side: "from",
      ports,
    })),
    ...(spec.egress ?? []).map(({ to, ports }, index) => ({
      at: `spec.egress[${index}]`,
      peers: to,
      side: "to",
      ports,
    })),
  ];
  for (const { at, peers, side, ports } of rules) {
    for (const [index, port] of (ports ?? []).entries()) faults.push(...validatePort(port, `${at}.ports[${index}]`));
    for (const [index, peer] of (peers ?? []).entries()) faults.push(...validatePeer(peer, `${at}.${side}[${index}]`));
  }
  const types = ["Ingress", "Egress"];
  if ((spec.policyTypes ?? []).length > types.length) {
    const path = "spec.policyTypes";
    const shown = goStrings(spec.policyTypes, "networking.PolicyType");
    return [...faults, invalidValue(path, shown, "may not specify more than two policyTypes")];
  }
  for (const [index, type] of (spec.policyTypes ?? []).entries()) {
    if (!types.includes(type)) faults.push(notSupported(`spec.policyTypes[${index}]`, type, types));
  }
  return faults;
}
