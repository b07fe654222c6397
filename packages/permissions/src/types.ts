export interface ObjectReference {
  type: string;
  id: string;
}

/** The subject's own `relation` is for sets of subjects: `group:eng#member`. */
export interface Relationship {
  resource: ObjectReference;
  relation: string;
  subject: ObjectReference & { relation?: string };
}

/** `create` refuses what is there already; `touch` and `delete` may be repeated. */
export interface Update {
  operation: 'create' | 'touch' | 'delete';
  relationship: Relationship;
}

/** Matches all relationships that have what is named; a field that is left out matches anything. */
export interface RelationshipFilter {
  resourceType: string;
  resourceId?: string;
  relation?: string;
  subject?: { type: string; id?: string };
}

/** What has to be so at the moment of the write: something matches the filter, or nothing does. */
export interface Precondition {
  must: 'match' | 'not-match';
  filter: RelationshipFilter;
}

/** `atLeastAsFreshAs` takes the ZedToken that a write answered with. */
export type Consistency = 'full' | 'minimize-latency' | { atLeastAsFreshAs: string };

export interface WriteRequest {
  updates: Update[];
  preconditions?: Precondition[];
}

export interface DeleteRequest {
  filter: RelationshipFilter;
  preconditions?: Precondition[];
}

export interface CheckRequest {
  resource: ObjectReference;
  permission: string;
  subject: ObjectReference & { relation?: string };
  consistency: Consistency;
}

/** All resources of `type` on which the subject has the permission. */
export interface ResourcesRequest {
  type: string;
  permission: string;
  subject: ObjectReference & { relation?: string };
  consistency: Consistency;
}

export interface RelationshipsRequest {
  filter: RelationshipFilter;
  consistency: Consistency;
}

/** `token` is a ZedToken: a check that is at least as fresh sees what was written. */
export interface Written {
  token: string;
}

export interface Checked {
  allowed: boolean;
  token: string;
}

/** A call is given up when the signal says so; in any case after the time-out of the client. */
export interface CallOptions {
  signal?: AbortSignal;
}

/**
 * SpiceDB, in plain JSON. Every call throws a `PermissionsError`; if the signal was aborted with a reason of its own
 * (not a time-out), it throws that reason.
 *
 * Requests are checked before the server is asked: what it could not hold is refused as `invalidArgument`.
 */
export interface Permissions {
  /**
   * Writes all updates or none, if they fit into one call of the server (1,000). More are written call by call, in their
   * order, and a failure leaves what came before; so then only `touch` and `delete` are taken, and no preconditions,
   * and the whole request may be repeated.
   */
  write(request: WriteRequest, options?: CallOptions): Promise<Written>;
  /**
   * Deletes what matches, call by call, until nothing is left; may be repeated. With preconditions it is one call, all
   * or nothing, and refused (`invalidArgument`) if more match than one call may delete (1,000).
   */
  delete(request: DeleteRequest, options?: CallOptions): Promise<Written>;
  /** A permission that depends on a caveat counts as denied. */
  check(request: CheckRequest, options?: CallOptions): Promise<Checked>;
  /**
   * Ids, page by page from one snapshot, with never more than one page in memory. An id may come twice. Nothing is asked
   * for while the consumer is busy with a page.
   */
  resources(request: ResourcesRequest, options?: CallOptions): AsyncIterable<string>;
  /** Relationships, page by page from one snapshot, with never more than one page in memory. */
  relationships(request: RelationshipsRequest, options?: CallOptions): AsyncIterable<Relationship>;
  /** Replaces the whole schema. Refused (`invalidArgument`) if it is wrong, or would orphan relationships. */
  writeSchema(schema: string, options?: CallOptions): Promise<void>;
  /** Undefined if none was ever written. */
  readSchema(options?: CallOptions): Promise<string | undefined>;
  /** Resolves if the server answers and takes the key: `unavailable` or `unauthenticated` otherwise. */
  ping(options?: CallOptions): Promise<void>;
  /** Closes the connection; calls that are under way fail. */
  close(): void;
}
