import * as contract from './contract.ts';
import { accept, conclude } from './workflows/run.ts';
import { agrees, carryOut, settled } from './workflows/steps.ts';

/**
 * Every workflow of a post has the id `postWorkflowId(post)`, so there is one at a time. All fail with `InvalidPost` on bad
 * input; every other ending is an outcome. None gives up: what keeps failing is shown, and tried until it succeeds.
 */

const { failureTypes, inTheWorkflow } = contract;

/** Writes a post, unless somebody else has it. A post that its author has already is no error. */
export async function writePost(input: contract.WriteRequest): Promise<contract.WriteOutcome> {
  const { request, state } = accept(inTheWorkflow.write, input);
  const { post, author } = request;
  const seen = await settled(state);
  if (seen.author !== undefined && seen.author !== author) {
    const message = `${post} belongs to ${seen.author}`;
    const reason = { type: failureTypes.postTaken, owner: seen.author, message };
    return conclude(state, { status: 'refused', post, reason }, message);
  }
  const already = seen.author === author;
  if (!already && !(await carryOut(state, { change: 'write', post, author }, seen))) return superseded(state);
  return conclude(state, { status: 'written', post, author, already }, `${author} is the author of ${post}`);
}

/** Gives a post to another author: the old one loses it in the same instant. */
export async function transferPost(input: contract.TransferRequest): Promise<contract.TransferOutcome> {
  const { request, state } = accept(inTheWorkflow.transfer, input);
  const { post, to } = request;
  const seen = await settled(state);
  const from = seen.author;
  if (from === undefined) return conclude(state, { status: 'not-found', post }, `There is no post ${post}`);
  const already = from === to;
  if (!already && !(await carryOut(state, { change: 'transfer', post, author: to }, seen))) return superseded(state);
  return conclude(state, { status: 'transferred', post, from, to, already }, `${to} is the author of ${post}`);
}

/** Deletes a post: first nobody sees it, then nobody may, then it is gone. */
export async function deletePost(input: contract.PostRequest): Promise<contract.DeleteOutcome> {
  const { request, state } = accept(inTheWorkflow.post, input);
  const { post } = request;
  const seen = await settled(state);
  if (seen.author === undefined) return conclude(state, { status: 'not-found', post }, `There is no post ${post}`);
  if (!(await carryOut(state, { change: 'delete', post }, seen))) return superseded(state);
  return conclude(state, { status: 'deleted', post }, `${post} is deleted`);
}

/**
 * Brings SpiceDB to what PostgreSQL says of a post: finishes a change that was left unfinished, and writes the author anew,
 * or revokes, where somebody has changed one of the stores by hand. Writes nothing if both agree.
 */
export async function mendPost(input: contract.PostRequest): Promise<contract.MendOutcome> {
  const { request, state } = accept(inTheWorkflow.post, input);
  const { post } = request;
  const seen = await settled(state);
  if (await agrees(state, seen)) {
    return conclude(state, { status: seen.resumed ? 'mended' : 'consistent', post }, 'Both stores agree');
  }
  const change: contract.Change =
    seen.author === undefined ? { change: 'delete', post } : { change: 'write', post, author: seen.author };
  if (!(await carryOut(state, change, seen))) return superseded(state);
  return conclude(state, { status: 'mended', post }, 'Both stores agree again');
}

const superseded = (state: contract.PostState) =>
  conclude(state, { status: 'superseded', post: state.post } as const, 'Somebody else has changed the post meanwhile');
