// The command line of kube-apiserver: upstream's flags as data. Parses nothing; main.ts acts on the values.

/** Every flag; names, defaults and words are upstream's but for --data-dir and the ports of the two other control plane daemons. */
export const flags = {
  "secure-port": {
    type: "int",
    default: 6443,
    description: "The port on which to serve HTTPS with authentication and authorization.",
  },
  "bind-address": {
    type: "string",
    default: "0.0.0.0",
    description: "The IP address on which to listen for the --secure-port port.",
  },
  "advertise-address": {
    type: "string",
    default: "",
    description:
      "The IP address on which to advertise the apiserver to members of the cluster. When empty, --bind-address is used, or the host's first address when that is unspecified.",
  },
  "data-dir": {
    type: "string",
    default: "/var/lib/picokube/apiserver",
    description: "The directory of the embedded LevelDB store.",
  },
  "etcd-servers": {
    type: "string-list",
    default: [],
    description:
      "List of etcd servers to connect with (scheme://ip:port). Not part of this build: the embedded store serves.",
  },
  "etcd-compaction-interval": {
    type: "duration",
    default: "5m",
    description: "The interval of compaction requests. If 0, the compaction is disabled.",
  },
  "scheduler-port": {
    type: "int",
    default: 10259,
    description: "The port of the kube-scheduler on this host, which is asked for its health by get componentstatuses.",
  },
  "controller-manager-port": {
    type: "int",
    default: 10257,
    description:
      "The port of the kube-controller-manager on this host, which is asked for its health by get componentstatuses.",
  },
  "service-cluster-ip-range": {
    type: "string-list",
    default: ["10.96.0.0/16"],
    description:
      "A CIDR notation IP range from which to assign service cluster IPs; at most two of different IP families.",
  },
  "service-node-port-range": {
    type: "string",
    default: "30000-32767",
    description: "A port range to reserve for services with NodePort visibility. Inclusive at both ends.",
  },
  "tls-cert-file": {
    type: "string",
    default: "",
    description: "File containing the x509 certificate for HTTPS (with intermediate certificates, if any, after it).",
  },
  "tls-private-key-file": {
    type: "string",
    default: "",
    description: "File containing the x509 private key matching --tls-cert-file.",
  },
  "client-ca-file": {
    type: "string",
    default: "",
    description:
      "Any request presenting a client certificate signed by one of the authorities in this file is authenticated with the identity of its CommonName.",
  },
  "token-auth-file": {
    type: "string",
    default: "",
    description: "The file that will be used to secure the secure port of the API server via token authentication.",
  },
  "enable-bootstrap-token-auth": {
    type: "bool",
    default: false,
    description:
      "Enable to allow secrets of type 'bootstrap.kubernetes.io/token' in the 'kube-system' namespace to be used for TLS bootstrapping authentication.",
  },
  "anonymous-auth": {
    type: "bool",
    default: true,
    description:
      "Enables anonymous requests to the secure port, with the user system:anonymous and the group system:unauthenticated.",
  },
  "service-account-key-file": {
    type: "string-list",
    default: [],
    description:
      "Files containing PEM-encoded keys used to verify ServiceAccount tokens. --service-account-signing-key-file when left out.",
  },
  "service-account-signing-key-file": {
    type: "string",
    default: "",
    description: "Path to the file that contains the private key of the service account token issuer.",
  },
  "service-account-issuer": {
    type: "string-list",
    default: ["https://kubernetes.default.svc.cluster.local"],
    description: "Identifiers of the service account token issuer; the first one signs, the others are accepted.",
  },
  "service-account-jwks-uri": {
    type: "string",
    default: "",
    description:
      "Overrides the URI for the JSON Web Key Set in the discovery document served at /.well-known/openid-configuration.",
  },
  "service-account-max-token-expiration": {
    type: "duration",
    default: 0,
    description: "The maximum validity duration of a token created by the service account token issuer.",
  },
  "service-account-extend-token-expiration": {
    type: "bool",
    default: true,
    description: "Turns on projected service account expiration extension during token generation.",
  },
  "api-audiences": {
    type: "string-list",
    default: [],
    description: "Identifiers of the API. Tokens must be bound to at least one of these. The issuers when left out.",
  },
  "authentication-config": {
    type: "string",
    default: "",
    description:
      "File with Authentication Configuration to configure the JWT Token authenticator or the anonymous authenticator. Note: this feature is mutually exclusive with the oidc-* flags.",
  },
  "oidc-issuer-url": {
    type: "string",
    default: "",
    description:
      "The URL of the OpenID issuer, only HTTPS scheme will be accepted. If set, it will be used to verify the OIDC JSON Web Token (JWT).",
  },
  "oidc-client-id": {
    type: "string",
    default: "",
    description: "The client ID for the OpenID Connect client, must be set if oidc-issuer-url is set.",
  },
  "oidc-ca-file": {
    type: "string",
    default: "",
    description:
      "If set, the OpenID server's certificate will be verified by one of the authorities in the oidc-ca-file, otherwise the host's root CA set will be used.",
  },
  "oidc-username-claim": {
    type: "string",
    default: "sub",
    description:
      "The OpenID claim to use as the user name. Claims other than 'sub' are not guaranteed to be unique and immutable.",
  },
  "oidc-username-prefix": {
    type: "string",
    default: "",
    description:
      "If provided, all usernames will be prefixed with this value. If not provided, username claims other than 'email' are prefixed by the issuer URL to avoid clashes. To skip any prefixing, provide the value '-'.",
  },
  "oidc-groups-claim": {
    type: "string",
    default: "",
    description:
      "If provided, the name of a custom OpenID Connect claim for specifying user groups. The claim value is expected to be a string or array of strings.",
  },
  "oidc-groups-prefix": {
    type: "string",
    default: "",
    description:
      "If provided, all groups will be prefixed with this value to prevent conflicts with other authentication strategies.",
  },
  "oidc-required-claim": {
    type: "map",
    default: {},
    description:
      "A key=value pair that describes a required claim in the ID Token. If set, the claim is verified to be present in the ID Token with a matching value. Repeat this flag to specify multiple claims.",
  },
  "oidc-signing-algs": {
    type: "string-list",
    default: ["RS256"],
    description:
      "Comma-separated list of allowed JOSE asymmetric signing algorithms. JWTs with a 'alg' header value not in this list will be rejected.",
  },
  "authentication-token-webhook-config-file": {
    type: "string",
    default: "",
    description:
      "File with webhook configuration for token authentication in kubeconfig format. The API server will query the remote service to determine authentication for bearer tokens.",
  },
  "authentication-token-webhook-version": {
    type: "string",
    default: "v1beta1",
    description: "The API version of the authentication.k8s.io TokenReview to send to and expect from the webhook.",
  },
  "authentication-token-webhook-cache-ttl": {
    type: "duration",
    default: "2m",
    description: "The duration to cache responses from the webhook token authenticator.",
  },
  "authorization-mode": {
    type: "string-list",
    default: ["Node", "RBAC"],
    description:
      "Ordered list of plug-ins to do authorization on secure port: AlwaysAllow, AlwaysDeny, Webhook, RBAC, Node.",
  },
  "authorization-config": {
    type: "string",
    default: "",
    description:
      "File with Authorization Configuration to configure the authorizer chain. Mutually exclusive with the other --authorization-mode and --authorization-webhook-* flags.",
  },
  "authorization-webhook-config-file": {
    type: "string",
    default: "",
    description:
      "File with webhook configuration in kubeconfig format, used with --authorization-mode=Webhook. The API server will query the remote service to determine access on the API server's secure port.",
  },
  "authorization-webhook-version": {
    type: "string",
    default: "v1beta1",
    description:
      "The API version of the authorization.k8s.io SubjectAccessReview to send to and expect from the webhook.",
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
  "enable-admission-plugins": {
    type: "string-list",
    default: [],
    description: "Admission plugins that should be enabled in addition to the default ones. The order does not matter.",
  },
  "disable-admission-plugins": {
    type: "string-list",
    default: [],
    description:
      "Admission plugins that should be disabled although they are among the default ones. The order does not matter.",
  },
  "admission-control-config-file": {
    type: "string",
    default: "",
    description: "File with admission control configuration.",
  },
  "default-not-ready-toleration-seconds": {
    type: "int",
    default: 300,
    description:
      "The tolerationSeconds of the toleration for notReady:NoExecute that is added to every pod without one.",
  },
  "default-unreachable-toleration-seconds": {
    type: "int",
    default: 300,
    description:
      "The tolerationSeconds of the toleration for unreachable:NoExecute that is added to every pod without one.",
  },
  "kubelet-certificate-authority": {
    type: "string",
    default: "",
    description: "Path to a cert file for the certificate authority of kubelets.",
  },
  "kubelet-client-certificate": {
    type: "string",
    default: "",
    description: "Path to a client cert file for TLS to kubelets.",
  },
  "kubelet-client-key": { type: "string", default: "", description: "Path to a client key file for TLS to kubelets." },
  "kubelet-preferred-address-types": {
    type: "string-list",
    default: ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"],
    description: "List of the preferred NodeAddressTypes to use for kubelet connections.",
  },
  "kubelet-timeout": { type: "duration", default: "5s", description: "Timeout for kubelet operations." },
  "proxy-client-cert-file": {
    type: "string",
    default: "",
    description:
      "Client certificate used to prove the identity of the aggregator when it must call out during a request.",
  },
  "proxy-client-key-file": {
    type: "string",
    default: "",
    description: "Private key for the client certificate of the aggregator.",
  },
  "requestheader-client-ca-file": {
    type: "string",
    default: "",
    description:
      "Root certificate bundle to use to verify client certificates on incoming requests before trusting usernames in headers.",
  },
  "requestheader-allowed-names": {
    type: "string-list",
    default: [],
    description:
      "Client certificate common names allowed to provide usernames in headers. If empty, any certificate that validates.",
  },
  "requestheader-username-headers": {
    type: "string-list",
    default: ["x-remote-user"],
    description: "Request headers to inspect for usernames.",
  },
  "requestheader-group-headers": {
    type: "string-list",
    default: ["x-remote-group"],
    description: "Request headers to inspect for groups.",
  },
  "requestheader-extra-headers-prefix": {
    type: "string-list",
    default: ["x-remote-extra-"],
    description: "Request header prefixes to inspect for extra user information.",
  },
  "audit-policy-file": {
    type: "string",
    default: "",
    description: "Path to the file that defines the audit policy configuration.",
  },
  "audit-log-path": {
    type: "string",
    default: "",
    description: "If set, all requests coming to the apiserver will be logged to this file. '-' means standard out.",
  },
  "audit-log-maxage": {
    type: "int",
    default: 0,
    description:
      "The maximum number of days to retain old audit log files based on the timestamp encoded in their filename.",
  },
  "audit-log-maxbackup": {
    type: "int",
    default: 0,
    description:
      "The maximum number of old audit log files to retain. Setting a value of 0 will mean there's no restriction on the number of files.",
  },
  "audit-log-maxsize": {
    type: "int",
    default: 0,
    description: "The maximum size in megabytes of the audit log file before it gets rotated.",
  },
  "audit-log-format": {
    type: "string",
    default: "json",
    description:
      "Format of saved audits: legacy is a 1-line text format for each event, json is structured. Known formats are legacy,json.",
  },
  "audit-log-mode": {
    type: "string",
    default: "blocking",
    description:
      "Strategy for sending audit events. An event is in the file before its answer is complete in every mode; blocking-strict also fails a request whose first event cannot be written. Known modes are batch,blocking,blocking-strict.",
  },
  "audit-webhook-config-file": {
    type: "string",
    default: "",
    description: "Path to a kubeconfig formatted file that defines the audit webhook configuration.",
  },
  "audit-webhook-batch-buffer-size": {
    type: "int",
    default: 10000,
    description: "The size of the buffer to store events before batching and writing.",
  },
  "audit-webhook-batch-max-size": {
    type: "int",
    default: 400,
    description: "The maximum size of a batch.",
  },
  "audit-webhook-batch-max-wait": {
    type: "duration",
    default: "30s",
    description: "The amount of time to wait before force writing the batch that hadn't reached the max size.",
  },
  "audit-webhook-initial-backoff": {
    type: "duration",
    default: "10s",
    description: "The amount of time to wait before retrying the first failed request.",
  },
  "encryption-provider-config": {
    type: "string",
    default: "",
    description: "The file containing configuration for encryption providers to be used for storing secrets.",
  },
  "encryption-provider-config-automatic-reload": {
    type: "bool",
    default: false,
    description:
      "Determines if the file set by --encryption-provider-config should be automatically reloaded if the disk contents change.",
  },
  "max-requests-inflight": {
    type: "int",
    default: 400,
    description:
      "The maximum number of non-mutating requests in flight at a given time; more are rejected. 0 for no limit.",
  },
  "max-mutating-requests-inflight": {
    type: "int",
    default: 200,
    description:
      "The maximum number of mutating requests in flight at a given time; more are rejected. 0 for no limit.",
  },
  "request-timeout": {
    type: "duration",
    default: "1m0s",
    description: "How long a handler must keep a request open before timing it out; watches and streams are exempt.",
  },
  "min-request-timeout": {
    type: "int",
    default: 1800,
    description: "The minimum number of seconds a watch is kept open; a random time above it is chosen to spread load.",
  },
  "shutdown-delay-duration": {
    type: "duration",
    default: 0,
    description: "Time to delay the termination; requests are served and /readyz fails meanwhile.",
  },
  "event-ttl": { type: "duration", default: "1h0m0s", description: "Amount of time to retain events." },
  "allow-privileged": { type: "bool", default: true, description: "If true, allow privileged containers." },
  profiling: {
    type: "bool",
    default: true,
    description: "Accepted for upstream's sake; Node.js is profiled with its own --cpu-prof.",
  },
} as const;
