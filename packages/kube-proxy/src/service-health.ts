// The health checks of load balancers: for each Service with a healthCheckNodePort a small HTTP server that says whether
// this node has endpoints of it. Mirrors upstream's pkg/proxy/healthcheck/service_health.go.

import { createServer, type Server } from "node:http";
import type { Logger } from "@picokube/component-base/logger";

/** One Service that asks for it. */
export interface ServiceHealth {
  /** "default/web" */
  readonly service: string;
  readonly port: number;
  /** Ready endpoints on this node, each address once. */
  readonly localEndpoints: number;
}

export interface ServiceHealthServers {
  /** Opens, closes and updates servers until they are those of the list. */
  sync(wanted: readonly ServiceHealth[]): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceHealthOptions {
  /** Where they listen; all addresses of the node in the usual case. */
  readonly addresses: () => readonly string[];
  /** Whether the proxy itself is well: a node whose rules are stale is no good target. */
  readonly isProxyHealthy: () => boolean;
  /** Told of a port that cannot be opened, in upstream's words for the event. */
  readonly onFailure: (service: string, message: string) => void;
  readonly nodeName: string;
  readonly logger: Logger;
}

interface Instance {
  readonly port: number;
  readonly servers: readonly Server[];
  localEndpoints: number;
}

export function createServiceHealthServers(options: ServiceHealthOptions): ServiceHealthServers {
  const { logger, nodeName } = options;
  const instances = new Map<string, Instance>();
  /** Ports that could not be opened, so that each is told of once. */
  const failed = new Map<string, number>();

  async function open({ service, port, localEndpoints }: ServiceHealth): Promise<void> {
    logger.v(2).info("Opening healthcheck", { service, port });
    const servers: Server[] = [];
    const instance: Instance = { port, servers, localEndpoints };
    try {
      for (const address of options.addresses()) {
        const server = createServer((_, response) => {
          const isHealthy = options.isProxyHealthy();
          const code = instance.localEndpoints > 0 && isHealthy ? 200 : 503;
          response.writeHead(code, {
            "Content-Type": "application/json",
            "X-Content-Type-Options": "nosniff",
            "X-Load-Balancing-Endpoint-Weight": String(instance.localEndpoints),
          });
          response.end(healthText(service, instance.localEndpoints, isHealthy));
        });
        await new Promise<void>((resolve, reject) => {
          server.once("error", reject);
          server.listen({ port, host: address, ipv6Only: address.includes(":") }, resolve);
        });
        servers.push(server);
      }
      failed.delete(service);
      instances.set(service, instance);
    } catch (error) {
      await closeAll(servers);
      if (failed.get(service) === port) return;
      failed.set(service, port);
      options.onFailure(
        service,
        `node ${nodeName} failed to start healthcheck ${JSON.stringify(service)} on port ${port}: ${(error as Error).message}`,
      );
      logger.error("Failed to start healthcheck", { node: nodeName, service, port, err: error });
    }
  }

  return {
    async sync(wanted) {
      const ports = new Map(wanted.map(({ service, port }) => [service, port]));
      for (const [service, { port, servers }] of instances) {
        if (ports.get(service) === port) continue;
        logger.v(2).info("Closing healthcheck", { service, port });
        instances.delete(service);
        await closeAll(servers);
      }
      for (const one of wanted) {
        const instance = instances.get(one.service);
        if (instance) instance.localEndpoints = one.localEndpoints;
        else await open(one);
      }
    },
    async close() {
      for (const { servers } of instances.values()) await closeAll(servers);
      instances.clear();
    },
  };
}

// Byte for byte what upstream's template makes, blanks included.
function healthText(service: string, localEndpoints: number, isHealthy: boolean): string {
  const [namespace, name] = service.split("/");
  return `{
	"service": {
		"namespace": ${JSON.stringify(namespace)},
		"name": ${JSON.stringify(name)}
	},
	"localEndpoints": ${localEndpoints},
	"serviceProxyHealthy": ${isHealthy}
}`;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}
