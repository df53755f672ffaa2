// ConfigError: the user's mistake, told in one clear line. Never carries a stack to the user.

/** A wrong flag, file or setting; the executable prints its message and exits with code 1. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConfigError";
  }
}
