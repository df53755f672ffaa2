// The flags of the kubelet's HTTPS server and of who may ask it: upstream's names, defaults and words. Data alone.

import type { Flag } from "@picokube/component-base/flag-set";

export const serverFlags = {
  address: { type: "string", default: "0.0.0.0", description: "The IP address for the Kubelet to serve on." },
  port: { type: "int", default: 10250, description: "The port for the Kubelet to serve on." },
  "healthz-bind-address": {
    type: "string",
    default: "127.0.0.1",
    description: "The IP address for the healthz server to serve on.",
  },
  "healthz-port": {
    type: "int",
    default: 10248,
    description: "The port of the localhost healthz endpoint (set to 0 to disable).",
  },
  "tls-cert-file": {
    type: "string",
    description:
      "File containing x509 Certificate used for serving HTTPS. If not provided, a self-signed certificate is generated at each start.",
  },
  "tls-private-key-file": {
    type: "string",
    description: "File containing x509 private key matching --tls-cert-file.",
  },
  "client-ca-file": {
    type: "string",
    description:
      "If set, any request presenting a client certificate signed by one of the authorities in the client-ca-file is authenticated with an identity corresponding to the CommonName of the client certificate.",
  },
  "anonymous-auth": {
    type: "bool",
    default: false,
    description: "Enables anonymous requests to the Kubelet server.",
  },
  "authentication-token-webhook": {
    type: "bool",
    default: true,
    description: "Use the TokenReview API to determine authentication for bearer tokens.",
  },
  "authorization-mode": {
    type: "string",
    default: "Webhook",
    description:
      "Authorization mode for Kubelet server. Valid options are AlwaysAllow or Webhook. Webhook mode uses the SubjectAccessReview API to determine authorization.",
  },
  "enable-debugging-handlers": {
    type: "bool",
    default: true,
    description: "Enables server endpoints for log collection and local running of containers and commands.",
  },
  "streaming-connection-idle-timeout": {
    type: "duration",
    default: "4h",
    description: "Maximum time a streaming connection can be idle before the connection is automatically closed.",
  },
  "enable-server": {
    type: "bool",
    default: true,
    description: "Enable the Kubelet's server",
  },
  "authentication-token-webhook-cache-ttl": {
    type: "duration",
    default: "2m",
    description: "The duration to cache responses from the webhook token authenticator.",
  },
  "authorization-webhook-cache-authorized-ttl": {
    type: "duration",
    default: "5m",
    description: "The duration to cache 'authorized' responses from the webhook authorizer.",
  },
  "authorization-webhook-cache-unauthorized-ttl": {
    type: "duration",
    default: "30s",
    description: "The duration to cache 'unauthorized' responses from the webhook authorizer.",
  },
} as const satisfies Record<string, Flag>;
