// Names of images as people write them: checked, and completed with a tag. Mirrors distribution's reference grammar as
// far as a kubelet needs it. Pure.

const domain = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?$/;
const pathPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[\w][\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** The parts of a name; neither tag nor digest means "latest". */
export interface ImageReference {
  /** "docker.io" when none was named. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function isRegistry(word: string): boolean {
  return word.includes(".") || word.includes(":") || word === "localhost" || word !== word.toLowerCase();
}

/** Throws an Error in distribution's words when the name is none. */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest = "", digest, ...rest] = text.split("@");
  const colon = beforeDigest.lastIndexOf(":");
  const tagged = colon > beforeDigest.lastIndexOf("/");
  const name = tagged ? beforeDigest.slice(0, colon) : beforeDigest;
  const tag = tagged ? beforeDigest.slice(colon + 1) : undefined;
  const words = name.split("/");
  const registry = words.length > 1 && isRegistry(words[0]!) ? words[0]! : undefined;
  const path = registry === undefined ? words : words.slice(1);
  const official = registry === undefined || registry === "docker.io" || registry === "index.docker.io";
  const repository = official && path.length === 1 ? `library/${path[0]}` : path.join("/");
  if (repository !== repository.toLowerCase()) {
    throw new Error(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  const valid =
    rest.length === 0 &&
    (registry === undefined || domain.test(registry)) &&
    path.every((part) => pathPart.test(part)) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!valid) throw new Error("invalid reference format");
  return {
    registry: official ? "docker.io" : registry,
    repository,
    tag,
    digest,
  };
}

/** The name with ":latest" where it had neither tag nor digest. Throws as parseImageReference. */
export function withDefaultTag(text: string): string {
  const { tag, digest } = parseImageReference(text);
  return tag === undefined && digest === undefined ? `${text}:latest` : text;
}
