export { createPermissionsActivities, type PermissionsActivities, toFailure } from './activities.ts';
export { type PermissionsConfig, permissionsConfig } from './config.ts';
export { PermissionsError } from './errors.ts';
export { type PermissionsFailureType, permissionsFailureTypes } from './failure-types.ts';
export { objectId } from './object-id.ts';
export { createPermissions, type PermissionsOptions } from './permissions.ts';
export type {
  CallOptions,
  Checked,
  CheckRequest,
  Consistency,
  DeleteRequest,
  ObjectReference,
  Permissions,
  Precondition,
  Relationship,
  RelationshipFilter,
  RelationshipsRequest,
  ResourcesRequest,
  Update,
  WriteRequest,
  Written,
} from './types.ts';
