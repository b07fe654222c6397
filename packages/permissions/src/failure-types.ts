/** Why something was refused or failed. Programs branch on these, never on a message. */
export const permissionsFailureTypes = {
  /** The request breaks a rule: an id, a name, a schema, too many updates. Nothing was written. */
  invalidArgument: 'PermissionsInvalidArgument',
  /** A precondition did not hold. Nothing was written. */
  preconditionFailed: 'PermissionsPreconditionFailed',
  /** A relationship that was to be created is there already. Nothing was written. */
  alreadyExists: 'PermissionsAlreadyExists',
  /** The schema of this SpiceDB has no such type, relation or permission; maybe none was written yet. */
  schemaMissing: 'PermissionsSchemaMissing',
  /** The ZedToken, or a cursor in the middle of a list, is of another datastore or too old. Ask fully consistent. */
  tokenUnusable: 'PermissionsTokenUnusable',
  /** SpiceDB refuses the key. A person has to mend the configuration. */
  unauthenticated: 'PermissionsUnauthenticated',
  /** No answer, or one that is worth asking again for; a write may have happened. The only one that is retried. */
  unavailable: 'PermissionsUnavailable',
} as const;

export type PermissionsFailureType = (typeof permissionsFailureTypes)[keyof typeof permissionsFailureTypes];
