// Token discovery: from an address, a token and a fingerprint to a CA that can be trusted (kubeadm's discovery/token).
// cluster-info is fetched from whoever answers, proven by the token's signature and the CA's fingerprint, and fetched again.

import { timingSafeEqual } from "node:crypto";
import { parseKubeconfig } from "@picokube/client/kubeconfig";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { BootstrapToken } from "@picokube/pki/bootstrap-token";
import { caCertHash } from "@picokube/pki/ca-hash";
import { detachedSignature } from "@picokube/pki/detached-signature";
import { parse, stringify } from "yaml";
import { type Answer, askEndpoint, type Endpoint, formatEndpoint } from "./endpoint.js";
import { clusterInfo } from "./names.js";

export interface DiscoveryOptions {
  readonly endpoint: Endpoint;
  readonly token: BootstrapToken;
  /** "sha256:...", any of which the CA may have; none means that the token's signature alone is believed. */
  readonly caCertHashes: readonly string[];
  readonly clock: Clock;
  readonly timeoutMs?: number;
  /** How long a token that was made a moment ago may take to sign. */
  readonly signatureWaitMs?: number;
}

/** What is known after discovery. */
export interface Discovered {
  /** https://host:port, as the cluster itself names its API server. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
}

const path = `/api/v1/namespaces/${clusterInfo.namespace}/configmaps/${clusterInfo.name}`;
const newToken = "make a new one on the first machine: picokube token create --print-join-command";
const maxSkewMs = 4 * 60 * 1000;
const retryMs = 250;

/** Throws ConfigError for every fault, each in words of its own. */
export async function discover({
  endpoint,
  token,
  caCertHashes,
  clock,
  timeoutMs = 5_000,
  signatureWaitMs = 5_000,
}: DiscoveryOptions): Promise<Discovered> {
  const giveUpMs = clock.now() + signatureWaitMs;
  let data = await fetchClusterInfo({ endpoint, clock, timeoutMs });
  while (signatureOf(data, token) === undefined && clock.now() < giveUpMs) {
    await clock.sleep(retryMs);
    data = await fetchClusterInfo({ endpoint, clock, timeoutMs });
  }
  const kubeconfig = verifiedKubeconfig(data, token);
  const found = readKubeconfig(kubeconfig);
  if (caCertHashes.length > 0) {
    requirePinned(found.ca, caCertHashes);
    const again = await fetchClusterInfo({ endpoint, ca: found.ca, clock, timeoutMs });
    if (again.kubeconfig !== kubeconfig)
      throw new ConfigError(
        `the second kubeconfig from the ${clusterInfo.name} ConfigMap (using validated TLS) was different from the first: somebody stands between this machine and ${formatEndpoint(endpoint)}`,
      );
  }
  return found;
}

type Data = Readonly<Record<string, string>>;

async function fetchClusterInfo({
  endpoint,
  ca,
  clock,
  timeoutMs,
}: {
  endpoint: Endpoint;
  ca?: string;
  clock: Clock;
  timeoutMs: number;
}): Promise<Data> {
  const answer = await askEndpoint(endpoint, { path, timeoutMs, ...(ca ? { ca } : {}) });
  requireSameTime(answer, clock.now());
  return dataOf(answer, endpoint);
}

/** Certificates and tokens mean nothing to a machine in another hour. */
function requireSameTime({ dateMs }: Answer, nowMs: number): void {
  if (dateMs === undefined || Math.abs(dateMs - nowMs) <= maxSkewMs) return;
  const minutes = Math.round(Math.abs(dateMs - nowMs) / 60_000);
  throw new ConfigError(
    `this machine's clock is ${minutes} minutes ${dateMs > nowMs ? "behind" : "ahead of"} the API server's: set one of them right (timedatectl set-ntp true), then join again`,
  );
}

function dataOf({ status, text }: Answer, endpoint: Endpoint): Data {
  const place = formatEndpoint(endpoint);
  let object: { kind?: string; message?: string; data?: Data };
  try {
    object = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(
      `${place} answers, but not as a Kubernetes API server does (HTTP ${status}): check address and port`,
      { cause: error },
    );
  }
  if (status === 200 && object?.kind === "ConfigMap") return object.data ?? {};
  if (object?.kind !== "Status")
    throw new ConfigError(
      `${place} answers, but not as a Kubernetes API server does (HTTP ${status}): check address and port`,
    );
  if (status === 404)
    throw new ConfigError(
      `the cluster at ${place} has no ${clusterInfo.name} ConfigMap in ${clusterInfo.namespace}: run picokube up there once more, which writes it`,
    );
  if (status === 401 || status === 403)
    throw new ConfigError(
      `the API server at ${place} does not show ${clusterInfo.name} to machines that are about to join (${object.message}): run picokube up there once more, which lets it`,
    );
  throw new ConfigError(`failed to request the ${clusterInfo.name} ConfigMap: ${object.message} (HTTP ${status})`);
}

const signatureOf = (data: Data, { id }: BootstrapToken) => data[`jws-kubeconfig-${id}`];

function verifiedKubeconfig(data: Data, token: BootstrapToken): string {
  const { kubeconfig } = data;
  if (!kubeconfig)
    throw new ConfigError(
      `there is no kubeconfig key in the ${clusterInfo.name} ConfigMap. This API Server isn't set up for token bootstrapping, can't connect`,
    );
  const signature = signatureOf(data, token);
  if (!signature)
    throw new ConfigError(`token id "${token.id}" is invalid for this cluster or it has expired: ${newToken}`);
  const wanted = Buffer.from(detachedSignature(kubeconfig, token));
  const given = Buffer.from(signature);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given))
    throw new ConfigError(
      `failed to verify JWS signature of received cluster info object, can't trust this API Server: the token's second half is wrong, or this is another cluster; ${newToken}`,
    );
  return kubeconfig;
}

/** The one cluster that it names. */
function readKubeconfig(text: string): Discovered {
  try {
    const { clusters } = parse(text) as { clusters: { name: string }[] };
    // It names no context and nobody's credentials.
    const whole = {
      clusters,
      contexts: [{ name: "join", context: { cluster: clusters[0]!.name } }],
      "current-context": "join",
    };
    if (clusters[0]!.name === "") {
      clusters[0]!.name = "cluster";
      whole.contexts[0]!.context.cluster = "cluster";
    }
    const { server, ca } = parseKubeconfig(stringify(whole), { source: clusterInfo.name, directory: "/" });
    if (!ca || !("pem" in ca)) throw new Error("it has no certificate-authority-data");
    return { server, ca: ca.pem };
  } catch (error) {
    throw new ConfigError(`malformed kubeconfig in the ${clusterInfo.name} ConfigMap: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function requirePinned(ca: string, hashes: readonly string[]): void {
  const hash = caCertHash(ca);
  if (hashes.includes(hash)) return;
  throw new ConfigError(
    `cluster CA found in ${clusterInfo.name} ConfigMap is invalid: none of the public keys "${hash}" are pinned: --discovery-token-ca-cert-hash is of another cluster, or the line was copied in part; print it again on the first machine: picokube token create --print-join-command`,
  );
}
