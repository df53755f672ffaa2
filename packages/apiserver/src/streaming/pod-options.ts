// The query of pods/log, exec, attach and portforward, checked, and as the kubelet's paths want it. Pure.

import { badRequest, invalid } from "@picokube/api/errors";
import { parseTime } from "@picokube/api/time";
import { type FieldError, forbiddenField, invalidValue, notSupported } from "@picokube/api/validation/field-error";

/** A Go boolean as it comes in a query; an empty value means true, as upstream converts it. */
export function queryBoolean(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

function logFaults(query: URLSearchParams): FieldError[] {
  const faults: FieldError[] = [];
  const [tailLines, limitBytes, sinceSeconds] = ["tailLines", "limitBytes", "sinceSeconds"].map((name) =>
    queryInteger(query, name),
  );
  if (tailLines !== undefined && tailLines < 0) {
    faults.push(invalidValue("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    faults.push(invalidValue("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && query.get("sinceTime")) {
    faults.push(forbiddenField("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    faults.push(invalidValue("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  const stream = query.get("stream");
  if (stream && !["All", "Stdout", "Stderr"].includes(stream)) {
    faults.push(notSupported("stream", stream, ["All", "Stdout", "Stderr"]));
  }
  if (stream && stream !== "All" && tailLines !== undefined) {
    faults.push(forbiddenField("", "`tailLines` and specific `stream` are mutually exclusive for now"));
  }
  return faults;
}

/** PodLogOptions as the kubelet's /containerLogs takes them; throws badRequest() and invalid(). */
export function logQuery(query: URLSearchParams): URLSearchParams {
  const faults = logFaults(query);
  if (faults.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, "", faults);
  const sinceTime = query.get("sinceTime");
  if (sinceTime && parseTime(sinceTime) === undefined) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
  }
  const out = new URLSearchParams();
  for (const flag of ["follow", "previous", "timestamps"]) if (queryBoolean(query, flag)) out.set(flag, "true");
  for (const name of ["sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream"]) {
    const value = query.get(name);
    if (value) out.set(name, value);
  }
  return out;
}

/** PodExecOptions and PodAttachOptions as the kubelet takes them: input, output, error, tty, command. */
export function execQuery(query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams();
  const names = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" };
  for (const [from, to] of Object.entries(names)) if (queryBoolean(query, from)) out.set(to, "1");
  if (!out.has("input") && !out.has("output") && !out.has("error")) {
    throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  }
  for (const command of query.getAll("command")) out.append("command", command);
  return out;
}

/** PodPortForwardOptions as the kubelet takes them; SPDY clients name ports per stream instead. */
export function portForwardQuery(query: URLSearchParams): URLSearchParams {
  const ports = query.getAll("ports");
  return new URLSearchParams(ports.length > 0 ? { port: ports.join(",") } : {});
}
