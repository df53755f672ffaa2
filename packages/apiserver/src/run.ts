// Brings one apiserver up and down: store, caches, security, built-in objects, listener, in that order. The only place
// that knows all parts.

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { pods } from "@picokube/api/core/v1";
import { ConfigError } from "@picokube/component-base/config-error";
import type { FlagValues } from "@picokube/component-base/flag-set";
import type { CommandContext } from "@picokube/component-base/flags";
import { createMetrics, type Metrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { servingTls } from "@picokube/component-base/tls-options";
import { isUnavailable } from "@picokube/store/errors";
import { openLevelDbStore } from "@picokube/store/leveldb/store";
import type { Store } from "@picokube/store/store";
import { readAdmissionConfiguration } from "./admission/admission-configuration.js";
import { createAdmission } from "./admission/create-admission.js";
import type { Audit } from "./audit/create-audit.js";
import { apiAudiencesOf, createAuthenticator, type RequestAuthenticator } from "./authn/create-authenticator.js";
import { impersonate } from "./authn/impersonation.js";
import { openIdDocuments } from "./authn/openid-documents.js";
import { loadVerificationKeys } from "./authn/service-account-keys.js";
import type { Authorizer } from "./authz/authorizer.js";
import { createAuthorizer } from "./authz/create-authorizer.js";
import { forbiddenError } from "./authz/forbidden.js";
import { attributesOf } from "./authz/request-attributes.js";
import { keepFlowSchemaStatus } from "./bootstrap/flow-schema-status.js";
import { runBootstrap } from "./bootstrap/run-bootstrap.js";
import { createConnectHandlers } from "./connect/create-connect-handlers.js";
import type { DeletePod } from "./connect/eviction.js";
import { type CustomResources, createCustomResources } from "./custom-resources/custom-resources.js";
import { createDiscovery } from "./discovery/discovery.js";
import { openEncryptedStore } from "./encryption/open-encrypted-store.js";
import { resourceOfKeys } from "./encryption/resource-of-key.js";
import { isServed } from "./handlers/route.js";
import { createOpenApi } from "./openapi/openapi.js";
import type { flags } from "./options.js";
import { builtinDefinitions } from "./registry/index.js";
import { startCompaction } from "./server/compaction.js";
import { componentChecks } from "./server/component-checks.js";
import { type DispatchOptions, dispatch, dispatchUpgrade } from "./server/dispatch.js";
import { healthChecks } from "./server/health-checks.js";
import { createInFlight } from "./server/in-flight.js";
import { lazyStreaming } from "./server/lazy-streaming.js";
import { createRequestMetrics } from "./server/request-metrics.js";
import { startServer } from "./server/server.js";
import { createStoreMetrics } from "./server/store-metrics.js";
import { untilRecoverable } from "./server/store-recovery.js";
import { keepDefaultServiceCidr } from "./service-ips/default-service-cidr.js";
import { keepServiceAddresses } from "./service-ips/repair.js";
import { CacheFeed } from "./storage/cache-feed.js";
import type { AdmissionChain } from "./storage/resource-writer.js";
import { createStorageRegistry, type ServedRegistry } from "./storage/storage-registry.js";

export type Options = FlagValues<typeof flags>;

/** Serves until the signal aborts; resolves when everything has been closed. */
export async function runApiServer(options: Options, { logger, signal, clock }: CommandContext): Promise<void> {
  if (options.tlsCertFile === "" || options.tlsPrivateKeyFile === "") {
    throw new ConfigError("--tls-cert-file and --tls-private-key-file are required");
  }
  const clientCaFile = options.clientCaFile === "" ? undefined : options.clientCaFile;
  const tls = servingTls({ certFile: options.tlsCertFile, keyFile: options.tlsPrivateKeyFile, clientCaFile, logger });
  const configuration = await readAdmissionConfiguration(options.admissionControlConfigFile);
  const metrics = createMetrics();
  const plainStore = await openStore(options.dataDir, { logger, clock, observeCommit: createStoreMetrics(metrics) });
  const stopFeed = new AbortController();
  const shutdown = new AbortController();
  let customResources: CustomResources | undefined;
  try {
    // Handlers ask for these at each request: they are made of the storage that the handlers belong to.
    const late: { authorizer?: Authorizer; authenticator?: RequestAuthenticator; admission?: AdmissionChain } = {};
    const definitions = builtinDefinitions({
      serviceCidrs: options.serviceClusterIpRange,
      nodePortRange: nodePortRangeOf(options.serviceNodePortRange),
      componentChecks: componentChecks({ ...options, store: plainStore }),
      connect: createConnectHandlers({
        authorizer: () => late.authorizer!,
        authenticator: () => late.authenticator!,
        deletePod: (request) => deletePod(registry, { ...request, admission: late.admission }),
        serviceAccountSigningKeyFile: options.serviceAccountSigningKeyFile,
        serviceAccountIssuer: options.serviceAccountIssuer,
        apiAudiences: apiAudiencesOf(options),
        serviceAccountMaxTokenExpirationSeconds: options.serviceAccountMaxTokenExpiration / 1000,
        serviceAccountExtendTokenExpiration: options.serviceAccountExtendTokenExpiration,
      }),
    });
    const { store, checkKms } = await openEncryptedStore(plainStore, {
      ...options,
      clock,
      resourceOf: resourceOfKeys(definitions),
      onReload: () => feed.retryUnreadable(),
      logger,
      signal: stopFeed.signal,
    });
    const feed = new CacheFeed({ store, logger });
    const registry = createStorageRegistry({
      definitions,
      store,
      feed,
      eventTtlSeconds: Math.round(options.eventTtl / 1000),
      clock,
      logger,
    });
    await feed.start(stopFeed.signal);
    customResources = createCustomResources({ registry, clock, logger });
    await customResources.start();
    const asking = { storage: registry, clock, logger, signal: stopFeed.signal };
    const authorizer = await createAuthorizer(options, asking);
    const authenticator = await createAuthenticator(withSigningKey(options), asking);
    const admission = createAdmission({ ...options, authorizer, configuration }, registry);
    Object.assign(late, { authorizer, authenticator, admission });
    const streaming = lazyStreaming({ storage: registry, kubelet: options });
    const audit = await openAudit(options, { clock, logger, metrics });
    const inFlight = createInFlight({
      maxReading: options.maxRequestsInflight,
      maxMutating: options.maxMutatingRequestsInflight,
    });
    const state = { bootstrapped: false, stopping: false };
    const advertiseAddress = advertiseAddressOf(options);
    const dispatchOptions: DispatchOptions = {
      dependencies: {
        registry,
        store,
        feed,
        admission,
        authorizeCreate: async ({ info, user }) => {
          const attributes = attributesOf({ ...info, verb: "create" }, user);
          const { decision, reason } = await authorizer.authorize(attributes);
          if (decision !== "Allow") throw forbiddenError(attributes, reason);
        },
        clock,
        minRequestTimeoutMs: options.minRequestTimeout * 1000,
        shutdown: shutdown.signal,
      },
      discovery: createDiscovery(() => registry.definitions, {
        serverAddress: `${advertiseAddress}:${options.securePort}`,
      }),
      openApi: createOpenApi({ definitions: () => registry.definitions }),
      streaming,
      healthChecks: healthChecks({ store, feed, state, checkKms }),
      metrics,
      documents: openIdDocuments({
        issuer: options.serviceAccountIssuer[0] ?? "",
        jwksUri: options.serviceAccountJwksUri || `https://${advertiseAddress}:${options.securePort}/openid/v1/jwks`,
        keys: loadVerificationKeys(withSigningKey(options).serviceAccountKeyFile),
      }),
    };
    const server = await startServer({
      tls,
      address: options.bindAddress,
      port: options.securePort,
      requestTimeoutMs: options.requestTimeout,
      inFlight,
      logger,
      audit,
      authenticate: (request) => authenticator.authenticate(request),
      impersonate: (request, user) => impersonate(request, user, authorizer),
      authorize: (attributes) => authorizer.authorize(attributes),
      handle: (exchange) => dispatch(exchange, dispatchOptions),
      upgrade: (exchange, socket, head) => dispatchUpgrade(exchange, { socket, head }, dispatchOptions),
      observe: createRequestMetrics({ metrics, inFlight, isServed: (info) => isServed(info, registry) }),
    });
    logger.info("Serving securely", { address: options.bindAddress, port: server.port });
    const stopCompaction = startCompaction({ store, intervalMs: options.etcdCompactionInterval, clock, logger });
    const serviceIps = { storage: registry, serviceCidrs: options.serviceClusterIpRange, clock, logger };
    const stopServiceCidr = await keepDefaultServiceCidr(serviceIps);
    await runBootstrap({
      storage: registry,
      logger,
      options: {
        advertiseAddress,
        securePort: server.port,
        serviceCidrs: options.serviceClusterIpRange,
        ...(clientCaFile === undefined ? {} : { clientCa: readFileSync(clientCaFile, "utf8") }),
        ...requestHeaderOptions(options),
      },
    });
    const stopServiceAddresses = await keepServiceAddresses(serviceIps);
    const stopFlowSchemas = await keepFlowSchemaStatus({ storage: registry, clock, logger });
    state.bootstrapped = true;
    await sdNotify("ready");
    const reopen = await untilRecoverable({ store, clock, logger }, signal);
    state.stopping = true;
    await sdNotify("stopping");
    if (!reopen && options.shutdownDelayDuration > 0) await clock.sleep(options.shutdownDelayDuration);
    shutdown.abort();
    stopCompaction();
    stopFlowSchemas();
    stopServiceAddresses();
    stopServiceCidr();
    await server.close();
    await streaming.close();
    await audit?.close();
    if (reopen) throw new Error("the store was not writable for a while: to be started again");
  } finally {
    customResources?.stop();
    stopFeed.abort();
    await plainStore.close();
  }
}

/** Auditing is loaded only where a policy asks for it. */
async function openAudit(
  options: Options,
  dependencies: Pick<CommandContext, "clock" | "logger"> & { metrics: Metrics },
): Promise<Audit | undefined> {
  if (options.auditPolicyFile === "") return undefined;
  const { createAudit } = await import("./audit/create-audit.js");
  return createAudit(options, dependencies);
}

async function openStore(
  directory: string,
  options: Omit<Parameters<typeof openLevelDbStore>[0], "directory">,
): Promise<Store> {
  try {
    return await openLevelDbStore({ directory, ...options });
  } catch (error) {
    if (isUnavailable(error)) throw new ConfigError(`--data-dir ${directory}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The signing key's public half verifies when no other key is named. */
function withSigningKey(options: Options): Options {
  const { serviceAccountKeyFile, serviceAccountSigningKeyFile } = options;
  if (serviceAccountKeyFile.length > 0 || serviceAccountSigningKeyFile === "") return options;
  return { ...options, serviceAccountKeyFile: [serviceAccountSigningKeyFile] };
}

/** Deletes a pod for its evictor: through admission and with the pod's grace. */
async function deletePod(
  registry: ServedRegistry,
  {
    context,
    namespace,
    name,
    admission,
    gracePeriodSeconds,
    preconditions,
  }: Parameters<DeletePod>[0] & { admission: AdmissionChain | undefined },
): Promise<void> {
  const deleteOptions = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
  await registry.servedFor(pods)!.writer.delete({ namespace, name, deleteOptions, context, admission });
}

function nodePortRangeOf(text: string): { from: number; to: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || from < 1 || to > 65535 || from > to) {
    throw new ConfigError(`--service-node-port-range ${JSON.stringify(text)} is not a valid port range`);
  }
  return { from, to };
}

function advertiseAddressOf({ advertiseAddress, bindAddress }: Options): string {
  if (advertiseAddress !== "") return advertiseAddress;
  // As upstream's ResolveBindAddress: nobody else can reach an unspecified or loopback address.
  if (!/^(0\.0\.0\.0|::|::1|127\..*|localhost|)$/.test(bindAddress)) return bindAddress;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  return own?.address ?? "127.0.0.1";
}

function requestHeaderOptions(options: Options) {
  if (options.requestheaderClientCaFile === "") return {};
  return {
    requestheaderClientCa: readFileSync(options.requestheaderClientCaFile, "utf8"),
    requestheaderAllowedNames: options.requestheaderAllowedNames,
    requestheaderUsernameHeaders: options.requestheaderUsernameHeaders,
    requestheaderGroupHeaders: options.requestheaderGroupHeaders,
    requestheaderExtraHeadersPrefix: options.requestheaderExtraHeadersPrefix,
  };
}
