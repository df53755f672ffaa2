// Records as data, and what a lookup finds. Knows neither their bytes nor where they come from.

export type DnsRecord =
  | {
      readonly type: "A" | "AAAA" | "CNAME" | "PTR" | "NS";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
    }
  | { readonly type: "TXT"; readonly name: string; readonly ttl: number; readonly data: string[] }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly ttl: number;
      readonly data: { priority: number; weight: number; port: number; target: string };
    }
  | {
      readonly type: "SOA";
      readonly name: string;
      readonly ttl: number;
      readonly data: {
        mname: string;
        rname: string;
        serial: number;
        refresh: number;
        retry: number;
        expire: number;
        minimum: number;
      };
    };

export interface Answer {
  /** Whether the name exists; an existing name without records of that type is no error. */
  readonly exists: boolean;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** A name that lies elsewhere: its records belong behind the answers (the CNAMEs that lead to it). */
  readonly outside?: string;
}
