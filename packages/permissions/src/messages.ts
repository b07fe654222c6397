import { v1 } from '@authzed/authzed-node';
import type { Consistency, ObjectReference, Precondition, Relationship, RelationshipFilter, Update } from './types.ts';

/** From the plain JSON of this package to the messages of SpiceDB's API, and back. */

export const toObject = ({ type, id }: ObjectReference): v1.ObjectReference => ({ objectType: type, objectId: id });

export const toSubject = ({ relation, ...object }: Relationship['subject']): v1.SubjectReference => ({
  object: toObject(object),
  optionalRelation: relation ?? '',
});

const operations: Record<Update['operation'], v1.RelationshipUpdate_Operation> = {
  create: v1.RelationshipUpdate_Operation.CREATE,
  touch: v1.RelationshipUpdate_Operation.TOUCH,
  delete: v1.RelationshipUpdate_Operation.DELETE,
};

export const toUpdate = ({ operation, relationship }: Update): v1.RelationshipUpdate => ({
  operation: operations[operation],
  relationship: {
    resource: toObject(relationship.resource),
    relation: relationship.relation,
    subject: toSubject(relationship.subject),
  },
});

export const toFilter = ({
  resourceType,
  resourceId,
  relation,
  subject,
}: RelationshipFilter): v1.RelationshipFilter => ({
  resourceType,
  optionalResourceId: resourceId ?? '',
  optionalResourceIdPrefix: '',
  optionalRelation: relation ?? '',
  optionalSubjectFilter: subject && { subjectType: subject.type, optionalSubjectId: subject.id ?? '' },
});

export const toPrecondition = ({ must, filter }: Precondition): v1.Precondition => ({
  operation: must === 'match' ? v1.Precondition_Operation.MUST_MATCH : v1.Precondition_Operation.MUST_NOT_MATCH,
  filter: toFilter(filter),
});

export function toConsistency(consistency: Consistency): v1.Consistency {
  if (consistency === 'full') return { requirement: { oneofKind: 'fullyConsistent', fullyConsistent: true } };
  if (consistency === 'minimize-latency') {
    return { requirement: { oneofKind: 'minimizeLatency', minimizeLatency: true } };
  }
  const token = consistency.atLeastAsFreshAs;
  return { requirement: { oneofKind: 'atLeastAsFresh', atLeastAsFresh: { token } } };
}

export function fromRelationship({ resource, relation, subject }: v1.Relationship): Relationship {
  const set = subject?.optionalRelation;
  return {
    resource: fromObject(resource),
    relation,
    subject: { ...fromObject(subject?.object), ...(set ? { relation: set } : {}) },
  };
}

const fromObject = (object: v1.ObjectReference | undefined): ObjectReference => ({
  type: object?.objectType ?? '',
  id: object?.objectId ?? '',
});
