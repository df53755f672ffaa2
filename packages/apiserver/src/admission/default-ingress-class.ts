// DefaultIngressClass: an Ingress that names no class gets the default one.

import { type Ingress, ingressclasses, ingresses } from "@picokube/api/networking/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionPlugin } from "./admission.js";
import { defaultClass } from "./default-class.js";
import { concerns } from "./forbidden.js";

const ANNOTATION = "ingressclass.kubernetes.io/is-default-class";
const LEGACY_CLASS = "kubernetes.io/ingress.class";

export function defaultIngressClass(storage: StorageRegistry): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    admit(attributes) {
      if (attributes.operation !== "CREATE" || !concerns(attributes, ingresses)) return;
      const ingress = attributes.object as Ingress;
      if (!ingress.spec || ingress.spec.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.[LEGACY_CLASS] !== undefined) return;
      const found = defaultClass(storage.for(ingressclasses).list(), ANNOTATION);
      if (found) ingress.spec.ingressClassName = found.metadata.name;
    },
  };
}
