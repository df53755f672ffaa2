// What /healthz, /livez and /readyz say of a component's checks, in upstream's form (apiserver pkg/server/healthz). Sends
// nothing.

export type HealthEndpoint = "healthz" | "livez" | "readyz";

export interface HealthCheck {
  readonly name: string;
  /** Left out: all of them. */
  readonly on?: readonly HealthEndpoint[];
  /** Throws or rejects when unhealthy. */
  check(): void | Promise<void>;
}

export interface HealthAnswer {
  readonly code: 200 | 404 | 500;
  readonly text: string;
}

export const HEALTH_ENDPOINTS: readonly HealthEndpoint[] = ["healthz", "livez", "readyz"];

/** The endpoint that a path leads to and, behind it, the name of one check; undefined for any other path. */
export function healthPathOf(path: string): { readonly endpoint: HealthEndpoint; readonly only: string } | undefined {
  const [, first, ...rest] = path.split("/");
  const endpoint = HEALTH_ENDPOINTS.find((name) => name === first);
  return endpoint && { endpoint, only: rest.join("/") };
}

/** The checks that an endpoint runs. */
export function checksOf(endpoint: HealthEndpoint, checks: readonly HealthCheck[]): HealthCheck[] {
  return checks.filter(({ on }) => on?.includes(endpoint) ?? true);
}

/** Runs them in their order; query may say verbose, and which to exclude. only is "" for all. */
export async function runHealthChecks(
  all: readonly HealthCheck[],
  { endpoint, only, query }: { endpoint: HealthEndpoint; only: string; query: URLSearchParams },
): Promise<HealthAnswer> {
  const checks = checksOf(endpoint, all);
  if (only !== "") {
    const check = checks.find(({ name }) => name === only);
    return check ? runOne(check) : { code: 404, text: "404 page not found\n" };
  }
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const isHealthy = (await runOne(check)).code === 200;
    failed ||= !isHealthy;
    lines.push(isHealthy ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).sort();
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(", ")}`);
  }
  // Who asks for no words hears them all the same when something is wrong.
  if (failed) return { code: 500, text: `${lines.join("\n")}\n${endpoint} check failed\n` };
  return { code: 200, text: query.has("verbose") ? `${lines.join("\n")}\n${endpoint} check passed\n` : "ok" };
}

async function runOne({ check }: HealthCheck): Promise<HealthAnswer> {
  try {
    await check();
    return { code: 200, text: "ok" };
  } catch (error) {
    return { code: 500, text: `internal server error: ${(error as Error).message}\n` };
  }
}
