// What the machine says of itself: routes and the address it is reached at. Reads only, through iproute2.

import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Route {
  dst: string;
  prefsrc?: string;
  dev: string;
}

async function ipRoutes(): Promise<Route[]> {
  const { stdout } = await run("ip", ["-json", "-4", "route", "show"]);
  return JSON.parse(stdout || "[]") as Route[];
}

/** Destinations that the machine routes, the default route left out: "172.17.0.0/16". */
export async function routes(): Promise<string[]> {
  return (await ipRoutes())
    .filter(({ dst }) => dst !== "default")
    .map(({ dst }) => (dst.includes("/") ? dst : `${dst}/32`));
}

/** Whether one of the machine's links has that address now. */
export function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((one) => one.address === address));
}

/** The source address of packets to that host; undefined when there is no way to it. */
export async function addressTowards(host: string): Promise<string | undefined> {
  try {
    const { stdout } = await run("ip", ["-json", "-4", "route", "get", host]);
    return (JSON.parse(stdout) as Route[])[0]?.prefsrc;
  } catch {
    return undefined;
  }
}

/** The source address of packets that leave by the default route; undefined without one. */
export async function defaultRouteAddress(): Promise<string | undefined> {
  const all = await ipRoutes();
  const route = all.find(({ dst }) => dst === "default");
  if (!route) return undefined;
  if (route.prefsrc) return route.prefsrc;
  const { stdout } = await run("ip", ["-json", "-4", "address", "show", "dev", route.dev]);
  const [link] = JSON.parse(stdout) as { addr_info: { local: string; scope: string }[] }[];
  return link?.addr_info.find(({ scope }) => scope === "global")?.local;
}
