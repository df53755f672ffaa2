// An answer that tells its request's audit id, whatever else its headers say, and knows its connection to the end. Sends
// nothing by itself.

import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** The HTTP server makes its responses of it (the option ServerResponse of node:http). */
export class AuditedResponse extends ServerResponse {
  /** Becomes the header Audit-Id; "" leaves it out. */
  auditId = "";
  /** Node.js takes the socket from a request and its response once both are over. */
  servedOn: Socket | undefined;

  // Set here and not by setHeader, which would make Node.js check and copy all further headers one by one.
  override writeHead(statusCode: number, reason?: string | Headers, headers?: Headers): this {
    const given = typeof reason === "string" ? headers : reason;
    if (this.auditId === "") return super.writeHead(statusCode, given);
    if (Array.isArray(given)) return super.writeHead(statusCode, ["Audit-Id", this.auditId, ...given]);
    return super.writeHead(statusCode, { "Audit-Id": this.auditId, ...given });
  }
}
