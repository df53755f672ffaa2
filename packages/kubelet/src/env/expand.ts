// $(VAR) expansion as upstream's third_party/forked/golang/expansion: $$ is a dollar, an unknown name stays as written.

import type { Container, EphemeralContainer } from "@picokube/api/core/v1";

/** Replaces $(NAME) by what lookup knows; anything else that starts with a dollar stays. */
export function expand(input: string, lookup: (name: string) => string | undefined): string {
  let output = "";
  for (let at = 0; at < input.length; at++) {
    const next = input[at + 1];
    if (input[at] !== "$" || next === undefined) {
      output += input[at];
    } else if (next === "$") {
      output += "$";
      at++;
    } else if (next === "(") {
      const end = input.indexOf(")", at + 2);
      if (end < 0) {
        output += "$(";
        at++;
      } else {
        const name = input.slice(at + 2, end);
        output += lookup(name) ?? `$(${name})`;
        at = end;
      }
    } else {
      output += `$${next}`;
      at++;
    }
  }
  return output;
}

/** NAME=value lines as a lookup; the last of a name wins. */
export function environmentMap(env: readonly string[]): Map<string, string> {
  return new Map(
    env.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** command and args of a container with its environment laid in: upstream's ExpandContainerCommandAndArgs. */
export function expandCommand(
  container: Pick<Container | EphemeralContainer, "command" | "args">,
  env: readonly string[],
): { command: string[] | undefined; args: string[] | undefined } {
  const variables = environmentMap(env);
  const each = (words: readonly string[] | undefined) =>
    words?.map((word) => expand(word, (name) => variables.get(name)));
  return { command: each(container.command), args: each(container.args) };
}
