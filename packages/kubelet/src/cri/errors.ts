// The errors of the runtime interface that callers tell apart. Everything else is a plain Error in the engine's words.

/** The container, sandbox or image is not there (any more). */
export class RuntimeNotFound extends Error {
  override readonly name = "RuntimeNotFound";
}
