export { type Reconcile, type ReconcileOptions, type Reconciler, runReconcile } from './command.ts';
export type { Found, Lines, Look, Turn, TurnInput } from './turn.ts';
