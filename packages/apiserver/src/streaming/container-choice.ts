// Which container a log, exec or attach means, in upstream's words (registry/core/pod strategy.go). Pure.

import type { Pod } from "@picokube/api/core/v1";
import { badRequest } from "@picokube/api/errors";

const namesOf = (containers: readonly { name: string }[] | undefined): string[] =>
  (containers ?? []).map(({ name }) => name);

/** The asked container, or the only one; throws badRequest() when that is not clear or not there. */
export function chooseContainer({ metadata, spec }: Pod, asked: string): string {
  const containers = namesOf(spec?.containers);
  const initContainers = namesOf(spec?.initContainers);
  const ephemeral = namesOf(spec?.ephemeralContainers as { name: string }[] | undefined);
  if (asked !== "") {
    if ([...containers, ...initContainers, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
  }
  if (containers.length === 1) return containers[0]!;
  let words = `a container name must be specified for pod ${metadata.name}`;
  if (containers.length > 1) words += `, choose one of: [${containers.join(" ")}]`;
  if (initContainers.length > 0) words += ` or one of the init containers: [${initContainers.join(" ")}]`;
  if (ephemeral.length > 0) words += ` or one of the ephemeral containers: [${ephemeral.join(" ")}]`;
  throw badRequest(words);
}
