import { type PermissionsFailureType, permissionsFailureTypes } from './failure-types.ts';

/** What SpiceDB answered instead of what was asked for, or that it did not answer. Neither says the key. */
export class PermissionsError extends Error {
  override name = 'PermissionsError';
  /** One of `permissionsFailureTypes`. */
  readonly type: PermissionsFailureType;
  constructor(type: PermissionsFailureType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
  /** Whether the same call can succeed later without anybody mending anything but the server. */
  get retryable(): boolean {
    return this.type === permissionsFailureTypes.unavailable;
  }
}

/** @param message begins with the field that is wrong */
export const invalidArgument = (message: string, options?: ErrorOptions) =>
  new PermissionsError(permissionsFailureTypes.invalidArgument, message, options);
