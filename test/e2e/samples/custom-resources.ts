// CustomResourceDefinitions of the kind that people install: the CronTab of upstream's documentation with a little more,
// and one with the shape of a certificate manager's.

/** CronTab, namespaced, one version, status and scale. */
export const cronTabCrd = (group: string) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.${group}
spec:
  group: ${group}
  scope: Namespaced
  names: { plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct] }
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the CronTab is to do.
            required: [cronSpec]
            properties:
              cronSpec: { type: string, description: When it runs. }
              image: { type: string }
              replicas: { type: integer, minimum: 1, maximum: 10, default: 1 }
          status:
            type: object
            properties:
              replicas: { type: integer }
              labelSelector: { type: string }
              phase: { type: string }
              conditions:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [type]
                items:
                  type: object
                  required: [type]
                  properties: { type: { type: string }, status: { type: string } }
    subresources:
      status: {}
      scale:
        specReplicasPath: .spec.replicas
        statusReplicasPath: .status.replicas
        labelSelectorPath: .status.labelSelector
    additionalPrinterColumns:
    - { name: Spec, type: string, description: The cron spec, jsonPath: .spec.cronSpec }
    - { name: Replicas, type: integer, jsonPath: .spec.replicas }
    - { name: Image, type: string, priority: 1, jsonPath: .spec.image }
    - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
`;

/** A CronTab called mine. */
export const cronTab = (group: string, { replicas = 1 } = {}) => `
apiVersion: ${group}/v1
kind: CronTab
metadata: { name: mine }
spec:
  cronSpec: "* * * * */5"
  image: busybox
  replicas: ${replicas}
`;

const certificateSchema = `
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [secretName, issuerRef]
            properties:
              secretName: { type: string, minLength: 1 }
              dnsNames: { type: array, x-kubernetes-list-type: atomic, items: { type: string } }
              duration: { type: string, pattern: "^([0-9]+(h|m|s))+$" }
              usages:
                type: array
                items: { type: string, enum: [signing, server auth] }
              issuerRef:
                type: object
                required: [name]
                properties:
                  name: { type: string }
                  kind: { type: string, default: Issuer }
                  group: { type: string }
              privateKey:
                type: object
                default: {}
                properties:
                  algorithm: { type: string, enum: [RSA, ECDSA], default: RSA }
                  size: { type: integer, default: 2048 }
          status:
            type: object
            properties:
              notAfter: { type: string, format: date-time }
              conditions:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [type]
                items:
                  type: object
                  required: [type, status]
                  properties:
                    type: { type: string }
                    status: { type: string, enum: ["True", "False", Unknown] }
                    lastTransitionTime: { type: string, format: date-time }`;

/** Certificate in v1 and in a deprecated v1alpha1. */
export const certificateCrd = (group: string) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: certificates.${group}
spec:
  group: ${group}
  scope: Namespaced
  names: { plural: certificates, kind: Certificate, shortNames: [cert, certs] }
  versions:
${["v1alpha1", "v1"].map((version) => certificateVersion(version)).join("")}
`;

const certificateVersion = (version: string) => `
  - name: ${version}
    served: true
    storage: ${version === "v1"}
    deprecated: ${version !== "v1"}
    subresources: { status: {} }
    selectableFields: [{ jsonPath: .spec.secretName }]
    additionalPrinterColumns:
    - { name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status' }
    - { name: Secret, type: string, jsonPath: .spec.secretName }
    - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
    schema:
      openAPIV3Schema:${certificateSchema}
`;
