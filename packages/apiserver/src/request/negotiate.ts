// Which representation an Accept header asks for (apiserver pkg/endpoints/handlers/negotiation). Pure.

import { notAcceptable } from "@picokube/api/errors";

export interface Representation {
  readonly format: "json" | "yaml";
  /** What the object is turned into first. */
  readonly as: "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  readonly pretty: boolean;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const JSON_TYPES = new Set(["application/json", "application/*", "*/*"]);
const TRANSFORMS = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);
const ACCEPTED = ["application/json", "application/yaml"];

/** The clauses of an Accept header, most wanted first. */
export function parseAccept(header: string): Clause[] {
  const clauses = header.split(",").flatMap((text): Clause[] => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    if (type === "") return [];
    const parameters = new Map(
      rest.map((pair) => {
        const [key = "", value = ""] = pair.split("=");
        return [key.trim().toLowerCase(), value.trim()];
      }),
    );
    const quality = Number(parameters.get("q") ?? "1");
    return [{ type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality }];
  });
  return clauses.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

/** How little a clause says: what names its type goes before what takes any. */
function wildcards({ type }: Clause): number {
  return type.startsWith("*") ? 2 : type.endsWith("/*") ? 1 : 0;
}

const TRUE_WORDS = new Set(["1", "t", "T", "TRUE", "true", "True"]);

/** Whether JSON is indented: when ?pretty= says so, and without it for people's tools (upstream: isPrettyPrint). */
export function wantsPretty(parameter: string | null, userAgent = ""): boolean {
  if (parameter) return TRUE_WORDS.has(parameter);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}

/** The first clause that can be served; throws 406 when none can. */
export function negotiate(
  header: string | undefined,
  { pretty: byRequest = false, transforms = true }: { pretty?: boolean; transforms?: boolean } = {},
): Representation {
  if (header === undefined || header.trim() === "") return { format: "json", as: "object", pretty: byRequest };
  for (const { type, parameters } of parseAccept(header)) {
    const yaml = type === "application/yaml";
    if (!yaml && !JSON_TYPES.has(type)) continue;
    const as = parameters.get("as");
    const pretty = byRequest || parameters.get("pretty") === "1";
    if (as === undefined || as === "") return { format: yaml ? "yaml" : "json", as: "object", pretty };
    if (!transforms || !TRANSFORMS.has(as)) continue;
    if (parameters.get("g") !== "meta.k8s.io" || !["v1", "v1beta1"].includes(parameters.get("v") ?? "")) continue;
    return { format: yaml ? "yaml" : "json", as: as as Representation["as"], pretty };
  }
  throw notAcceptable(`only the following media types are accepted: ${ACCEPTED.join(", ")}`);
}
