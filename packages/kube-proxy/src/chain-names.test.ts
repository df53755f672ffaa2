import { test } from "tap";
import { endpointChain, serviceChains } from "./chain-names.js";

test("chain names are those that upstream computes", (t) => {
  // Names that every cluster shows for these two Services.
  t.equal(serviceChains("KUBE", "default/kubernetes:https", "TCP").cluster, "KUBE-SVC-NPX46M4PTMTKRN6Y");
  t.equal(serviceChains("KUBE", "kube-system/kube-dns:dns", "UDP").cluster, "KUBE-SVC-TCOU7JCQXEZGVUNU");
  t.equal(serviceChains("KUBE", "kube-system/kube-dns:dns-tcp", "TCP").cluster, "KUBE-SVC-ERIFXISQEP7F7OF4");
  t.match(endpointChain("KUBE", "default/web", "TCP", "10.244.0.5:80"), /^KUBE-SEP-[A-Z2-7]{16}$/);
  t.end();
});
