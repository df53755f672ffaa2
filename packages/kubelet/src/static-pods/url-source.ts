// Static pods' manifests behind a URL: one Pod or a PodList. Mirrors upstream's config/http.go and its words.

import { parseYamlDocuments } from "@picokube/component-base/config-file";
import type { Logger } from "@picokube/component-base/logger";
import type { StaticPodSource } from "./static-pods.js";

const timeoutMs = 10_000;
const toldFailures = 3;

interface Manifest {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly items?: readonly object[];
}

/** The pods of an answer. Throws on what is neither a Pod nor a PodList. */
export function podsOfAnswer(text: string, url: string): object[] {
  const [document] = parseYamlDocuments(text, { source: url }) as (Manifest | undefined)[];
  if (document?.kind === "Pod") return [document];
  if (document?.kind === "PodList" || document?.kind === "List") {
    // What is in a PodList does not say again what it is.
    return (document.items ?? []).map((item) => ({ apiVersion: "v1", kind: "Pod", ...item }));
  }
  throw new Error(`${url}: received '${text}', but couldn't parse as single or multiple pods`);
}

/** While the URL does not answer, its pods run on; an empty answer ends them. */
export function urlSource(
  url: string,
  { headers, logger }: { headers: Readonly<Record<string, string>>; logger: Logger },
): StaticPodSource {
  let failures = 0;
  return {
    kind: "http",
    async read() {
      try {
        const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
        const text = await response.text();
        if (response.status !== 200) throw new Error(`${url}: ${response.status} ${response.statusText}`);
        if (text === "")
          logger.warn("Failed to read pods from URL", { err: new Error(`zero-length data received from ${url}`) });
        const found = text === "" ? [] : podsOfAnswer(text, url);
        if (failures > 0) logger.info("Successfully read pods from URL");
        failures = 0;
        return new Map(found.map((document, index) => [`${url}#${index}`, { path: url, document }]));
      } catch (err) {
        if (failures < toldFailures) logger.warn("Failed to read pods from URL", { err });
        else if (failures === toldFailures) {
          logger.warn("Failed to read pods from URL. Dropping verbosity of this message to V(4)", { err });
        } else logger.v(4).info("Failed to read pods from URL", { err });
        failures++;
        return undefined;
      }
    },
  };
}
