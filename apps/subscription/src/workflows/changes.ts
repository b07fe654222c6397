import type * as types from '../contract.ts';
import type { Span } from '../contract.ts';
import { failureTypes, inTheWorkflow, isClosed, limits } from '../contract.ts';
import { nextEnd } from './dates.ts';
import { type Life, now, spanOf, standing } from './life.ts';
import { problems, refusal } from './refusal.ts';
import { boundary } from './services.ts';

/** Changes of price and period: checked before they are accepted, made once, and kept. */

type Asked = { from?: number | undefined; changeId?: string | undefined; by: string } & (
  | { kind: 'price'; price: number }
  | { kind: 'period'; period: Span }
);

/** @throws ApplicationFailure `InvalidSubscription` that names each field */
function read(kind: Asked['kind'], input: unknown): Asked {
  const parsed =
    kind === 'price' ? inTheWorkflow.changePrice.safeParse(input) : inTheWorkflow.changePeriod.safeParse(input);
  if (parsed.success) return { kind, ...parsed.data } as Asked;
  throw refusal(failureTypes.invalid, problems(parsed.error));
}

/** @throws ApplicationFailure `SubscriptionOver` */
export function refuseIfOver({ request, status, cancellation }: Life): void {
  const { subscriptionId } = request;
  if (isClosed(status)) throw refusal(failureTypes.over, `subscription ${subscriptionId} is ${status}`);
  if (cancellation) throw refusal(failureTypes.over, `subscription ${subscriptionId} has been cancelled`);
}

/** @throws ApplicationFailure `TooMany` */
export function refuseIfFull(what: 'changes' | 'adjustments' | 'refunds', life: Life): void {
  if (life[what].length < limits[what]) return;
  throw refusal(failureTypes.tooMany, `a subscription has at most ${limits[what]} ${what}`);
}

/** The change that was made under this id; undefined if it is new. @throws ApplicationFailure `ChangeMismatch` */
function madeBefore({ changes }: Life, asked: Asked): types.Change | undefined {
  const { changeId } = asked;
  const found = changeId === undefined ? undefined : changes.find((one) => one.changeId === changeId);
  if (!found) return undefined;
  const details = ({ kind, by, from = found.from, ...rest }: Asked) =>
    JSON.stringify([kind, by, from, 'price' in rest ? rest.price : rest.period]);
  if (details(found) === details(asked)) return found;
  throw refusal(failureTypes.changeMismatch, `changeId: there is a change ${changeId} with other details`);
}

const nextOf = ({ period }: Life): number => (period?.number ?? 0) + 1;

/** @throws ApplicationFailure that says why not */
export function refuseChange(life: Life, kind: Asked['kind'], input: unknown): void {
  const asked = read(kind, input);
  refuseIfOver(life);
  if (madeBefore(life, asked) || life.status === 'starting') return;
  refuseIfFull('changes', life);
  const { maxPeriods } = standing(life).terms.plan;
  const next = nextOf(life);
  const { from = next } = asked;
  const refuse = (why: string) => refusal(failureTypes.noSuchPeriod, `from: period ${from} ${why}`);
  if (from < next) throw refuse(`has begun; the next one is ${next}`);
  if (maxPeriods !== undefined && from > maxPeriods) throw refuse(`never begins: there are ${maxPeriods}`);
}

/** Takes effect with period `from`: the one that is open is as it is, also while its charge is being declined. */
export async function change(life: Life, kind: Asked['kind'], input: unknown): Promise<types.Change> {
  const asked = read(kind, input);
  const before = madeBefore(life, asked);
  if (before) return before;
  const made: types.Change = { ...asked, from: asked.from ?? nextOf(life), at: now() };
  life.changes.push(made);
  if (kind === 'period') await foresee(life);
  return made;
}

/** When the first charge will be due, as far as that takes a calendar: in arrears, it is at the end of the first period. */
export async function foresee(life: Life): Promise<void> {
  const { terms, period } = standing(life);
  if (terms.plan.billing !== 'in-arrears' || period.number > 0) return;
  const { span } = spanOf(life, 1);
  const { at } = await boundary('the first charge is due', nextEnd(life));
  // Of two changes at once, the later one counts, whichever was answered first.
  if (spanOf(life, 1).span === span) life.firstDue = at;
}
