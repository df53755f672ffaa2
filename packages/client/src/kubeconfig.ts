// Kubeconfig files and a pod's own service account, read into what a connection needs. Opens no connection.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { parseYamlDocuments } from "@picokube/component-base/config-file";

/** PEM text, or the file that holds it (read again when it changes). */
export type Pem = { readonly pem: string } | { readonly file: string };

export interface Kubeconfig {
  /** "https://host:port", perhaps with a path prefix. */
  readonly server: string;
  readonly ca?: Pem;
  readonly cert?: Pem;
  readonly key?: Pem;
  readonly token?: string;
  /** Wins over token; read again every minute, for projected tokens rotate. */
  readonly tokenFile?: string;
  /** Wins over both: asked before each request, it keeps the token itself (a ServiceAccount's from TokenRequest). */
  readonly tokenSource?: () => Promise<string>;
  readonly username?: string;
  readonly password?: string;
  readonly namespace: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
}

type Fields = Record<string, unknown>;

/** Reads a kubeconfig's current context, or the one named. */
export function loadKubeconfig(path: string, { context }: { context?: string } = {}): Kubeconfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError(
      `stat ${path}: ${code === "ENOENT" ? "no such file or directory" : (error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  return parseKubeconfig(text, { source: path, directory: dirname(resolve(path)), ...(context ? { context } : {}) });
}

/** The pure part of loadKubeconfig: relative file names are resolved against directory. */
export function parseKubeconfig(
  text: string,
  { source, directory, context }: { source: string; directory: string; context?: string },
): Kubeconfig {
  const document = asFields(parseYamlDocuments(text, { source })[0]);
  if (document === undefined)
    throw new ConfigError(`${source}: invalid configuration: no configuration has been provided`);
  const named = (list: string, entry: string, name: string): Fields => {
    const items = Array.isArray(document[list]) ? (document[list] as unknown[]).map(asFields) : [];
    const found = asFields(items.find((item) => item?.name === name)?.[entry]);
    if (!found) throw new ConfigError(`${source}: ${entry} "${name}" does not exist`);
    return found;
  };
  const contextName = context ?? textOf(document["current-context"]);
  if (!contextName) throw new ConfigError(`${source}: current-context is not set`);
  const chosen = named("contexts", "context", contextName);
  const cluster = named("clusters", "cluster", textOf(chosen.cluster) ?? "");
  const user = textOf(chosen.user) ? named("users", "user", textOf(chosen.user)!) : {};
  const server = textOf(cluster.server);
  if (!server) throw new ConfigError(`${source}: cluster has no server defined`);
  const pem = (fields: Fields, data: string, file: string): Pem | undefined => {
    const inline = textOf(fields[data]);
    if (inline) return { pem: Buffer.from(inline, "base64").toString("utf8") };
    const path = textOf(fields[file]);
    return path ? { file: resolve(directory, path) } : undefined;
  };
  const tokenFile = textOf(user.tokenFile);
  return dropUndefined({
    server: server.replace(/\/+$/, ""),
    ca: pem(cluster, "certificate-authority-data", "certificate-authority"),
    cert: pem(user, "client-certificate-data", "client-certificate"),
    key: pem(user, "client-key-data", "client-key"),
    token: textOf(user.token),
    tokenFile: tokenFile ? resolve(directory, tokenFile) : undefined,
    username: textOf(user.username),
    password: textOf(user.password),
    namespace: textOf(chosen.namespace) ?? "default",
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] === true ? true : undefined,
    tlsServerName: textOf(cluster["tls-server-name"]),
  });
}

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What a process inside a pod uses: upstream's rest.InClusterConfig. */
export function inClusterConfig(env: NodeJS.ProcessEnv = process.env): Kubeconfig {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port)
    throw new ConfigError(
      "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined",
    );
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: { file: `${serviceAccountDirectory}/ca.crt` },
    tokenFile: `${serviceAccountDirectory}/token`,
    namespace: readFileSync(`${serviceAccountDirectory}/namespace`, "utf8").trim(),
  };
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function dropUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
