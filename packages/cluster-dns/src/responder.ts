// One DNS query in, one answer out: the cluster's from the records, everything else from the forwarder. Knows no sockets.

import type { Logger } from "@picokube/component-base/logger";
import { LRUCache } from "lru-cache";
import type { Answer } from "./dns-record.js";
import { ForwardError, type Forwarded, type Forwarder } from "./forwarder.js";
import { type Query, rcodes, readQuery } from "./query.js";
import { typeName } from "./record-types.js";
import type { Records } from "./records.js";
import { emptyBody, encodeError, encodeRecord, encodeResponse, type ResponseBody, roomFor } from "./response.js";

const classInternet = 1;
const maxKeptAnswers = 10_000;

export interface QueryOutcome {
  readonly response: Buffer;
  readonly rcode: number;
  /** undefined: the message could not be read, or was no query of this class and version. */
  readonly query: Query | undefined;
  /** The zone that answered as upstream's metrics name it: "cluster.local.", ".", or "dropped" for none. */
  readonly zone: string;
}

export interface Responder {
  /** undefined: say nothing, the message was no query. Only what others are asked for takes time. */
  respond(message: Buffer, transport: "udp" | "tcp"): QueryOutcome | Promise<QueryOutcome> | undefined;
}

export interface ResponderOptions {
  readonly records: Records;
  readonly forwarder: Forwarder;
  readonly logger: Logger;
  isReady(): boolean;
}

/** Answers with FORMERR, NOTIMP, SERVFAIL, ... rather than not at all whenever the header can be read. */
export function createResponder({ records, forwarder, logger, isReady }: ResponderOptions): Responder {
  // Bytes of answers, for as long as nothing has changed.
  const kept = new LRUCache<string, ResponseBody>({ max: maxKeptAnswers });
  let keptAt = -1;
  const clusterZone = `${records.zone}.`;

  function ofCluster(query: Query): ResponseBody | { answer: Answer; target: string } | undefined {
    if (keptAt !== records.changes()) {
      kept.clear();
      keptAt = records.changes();
    }
    const key = `${query.type} ${query.name}`;
    const known = kept.get(key);
    if (known) return known;
    const answer = records.lookup(query.name, typeName(query.type));
    if (!answer) return undefined;
    if (answer.outside !== undefined) return { answer, target: answer.outside };
    const body = bodyOf(answer, query);
    kept.set(key, body);
    return body;
  }

  function bodyOf({ exists, answers, additionals }: Answer, query: Query): ResponseBody {
    const question = { name: query.name, bytes: query.question.length };
    const inPlace = answers.findIndex(({ type }) => type !== "CNAME");
    return {
      rcode: exists ? rcodes.noError : rcodes.nameError,
      answers: answers.map((record) => encodeRecord(record, question)),
      authorities: answers.length === 0 ? [encodeRecord(records.soa(), question)] : [],
      additionals: additionals.map((record) => encodeRecord(record, question)),
      inPlace: inPlace < 0 ? answers.length : inPlace,
    };
  }

  // An ExternalName: our CNAMEs, and behind them what others say of the name they lead to.
  async function followed(query: Query, { answer, target }: { answer: Answer; target: string }): Promise<ResponseBody> {
    const { rcode, answers } = await forwarder.lookup(target, query.type);
    return { ...bodyOf({ ...answer, answers: [...answer.answers, ...answers] }, query), rcode };
  }

  function failure(error: unknown, query: Query): ResponseBody {
    logger.v(2).info("Could not forward a query", { name: query.name, type: typeName(query.type), err: error });
    return emptyBody(error instanceof ForwardError ? error.rcode : rcodes.serverFailure);
  }

  return {
    respond(message, transport) {
      const read = readQuery(message);
      if (!read) return undefined;
      if (!("query" in read))
        return { response: encodeError(message, read.rcode), rcode: read.rcode, query: undefined, zone: "dropped" };
      const { query } = read;
      const maxBytes = roomFor(query, transport);
      const send = (body: ResponseBody, zone: string): QueryOutcome => ({
        response: encodeResponse({ query, body, maxBytes, authoritative: zone === clusterZone }),
        rcode: body.rcode,
        query: zone === "dropped" ? undefined : query,
        zone,
      });
      if (query.edns && query.edns.version !== 0) return send(emptyBody(rcodes.badVersion), "dropped");
      if (query.class !== classInternet) return send(emptyBody(rcodes.refused), "dropped");

      const found = ofCluster(query);
      if (!found) {
        const passedOn = ({ response, rcode }: Forwarded): QueryOutcome => ({ response, rcode, query, zone: "." });
        const forwarded = forwarder.forward(query, maxBytes);
        if (!(forwarded instanceof Promise)) return passedOn(forwarded);
        return forwarded.then(passedOn, (error: unknown) => send(failure(error, query), "."));
      }
      if (!isReady()) return send(emptyBody(rcodes.serverFailure), clusterZone);
      if (!("target" in found)) return send(found, clusterZone);
      return followed(query, found).then(
        (body) => send(body, clusterZone),
        (error: unknown) => send(failure(error, query), clusterZone),
      );
    },
  };
}
