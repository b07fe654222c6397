/**
 * The search attributes, all of type Keyword, that every app upserts. A workflow that upserts one that is not registered
 * hangs, without a word.
 */
export const searchAttributes = ['Status', 'StartedBy'] as const;
