// The x509 library with what it needs before it can be loaded. Nothing else names it.

import "reflect-metadata";

export * as x509 from "@peculiar/x509";
